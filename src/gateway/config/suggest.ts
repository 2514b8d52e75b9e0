/** " (did you mean …?)" for a word that is not one of those that are known, or nothing where none is near. */
export function suggestion(word: string, known: readonly string[]): string {
  const plain = plainOf(word);
  const nearest = known
    .map((candidate) => ({ candidate, distance: editDistance(plain, plainOf(candidate)) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (nearest === undefined || nearest.distance > Math.max(1, Math.floor(plain.length / 3))) return '';
  return ` (did you mean ${nearest.candidate}?)`;
}

/** snake_case, kebab-case and capitals are the usual mistakes: they count for nothing. Cut, since a key can be long. */
function plainOf(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll(/[_-]/g, '');
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
