/**
 * Where the servers of this process live: one folder under the system's temporary one, and the account that runs them.
 * Both vanish with this process, however it ends: a shell beside it waits for that, then ends what still runs by its
 * process id and removes the folder.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync } from 'node:fs';
import { chmod, chown, mkdtemp, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** As child_process takes it; empty for the account of this process. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** In a server's folder: the signal that ends it, a space, its process id. There as long as it runs. */
export const END_FILE = 'end';

/** Standard input ends when the process that holds its other end does. $1 is the folder. */
const CLEANER = `
  cat >/dev/null
  for file in "$1"/*/${END_FILE}; do
    [ -f "$file" ] && read -r signal pid <"$file" && kill -s "$signal" "$pid" && pids="$pids $pid"
  done
  tries=0
  for pid in $pids; do
    while kill -0 "$pid" && [ $tries -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
  done
  until rm -rf "$1" || [ $tries -ge 100 ]; do tries=$((tries + 1)); sleep 0.1; done`;

let account: Account | undefined;
let workshop: string | undefined;

/** initdb, postgres and pgbouncer refuse to run as root: then `nobody` runs them. */
export function serverAccount(): Account {
  account ??= process.getuid?.() === 0 ? { uid: idOfNobody('-u'), gid: idOfNobody('-g') } : {};
  return account;
}

/** A new folder of the servers' account, which others can pass but not read. */
export async function makeFolder(name: string): Promise<string> {
  workshop ??= openWorkshop();
  const folder = await mkdtemp(join(workshop, `${name}-`));
  await giveAway(folder, 0o700);
  return folder;
}

/** A file of the servers' account, readable by it alone. */
export async function writeServerFile(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await giveAway(path, 0o600);
}

async function giveAway(path: string, mode: number): Promise<void> {
  const { uid, gid } = serverAccount();
  await chmod(path, mode);
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

function openWorkshop(): string {
  const folder = mkdtempSync(join(tmpdir(), 'turbotls-servers-'));
  const { uid, gid } = serverAccount();
  chmodSync(folder, 0o711);
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  const cleaner = spawn('sh', ['-c', CLEANER, 'sh', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  cleaner.unref();
  (cleaner.stdin as Socket).unref();
  return folder;
}

function idOfNobody(which: '-u' | '-g'): number {
  return Number(execFileSync('id', [which, 'nobody'], { encoding: 'utf8' }));
}
