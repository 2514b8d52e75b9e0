import * as fc from 'fast-check';

/** `fc.assert` for properties that are synchronous: the linter takes its overloads for a promise that is forgotten. */
export function holds<Ts>(property: fc.IProperty<Ts>, parameters?: fc.Parameters<Ts>): void {
  void fc.assert(property, parameters);
}
