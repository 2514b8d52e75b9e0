/** What a link needs of the machine and of whoever runs the program, and how to get it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants as fileAccess } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { APPLY_SETTINGS } from './host.js';
import type { LinkKind } from './joint.js';
import { WITH_TUN } from './tun/tun-joint.js';

/** No link can be made here; the message says why, and what to do. */
export class LinkUnavailable extends Error {
  override name = 'LinkUnavailable';
}

const PROGRAMS: { name: string; debianPackage: string; kind?: LinkKind }[] = [
  { name: 'unshare', debianPackage: 'util-linux' },
  { name: 'nsenter', debianPackage: 'util-linux' },
  { name: 'ip', debianPackage: 'iproute2' },
  { name: 'tc', debianPackage: 'iproute2', kind: 'netem' },
  { name: 'nft', debianPackage: 'nftables', kind: 'netem' },
  { name: 'perl', debianPackage: 'perl-base', kind: 'tun' },
];

/** Makes an account root of a user namespace, where it may make networks; of the machine it is what it was. */
const AS_ROOT_OF_ITS_OWN = ['unshare', '--user', '--map-root-user'];
const IN_NEW_NETWORK = ['unshare', '--net'];

/** What tries whether a link of this kind can be made: it makes what is special about it in a network that ends with it. */
const TRIALS: Record<LinkKind, string[]> = {
  tun: [...WITH_TUN, 'true'],
  netem: ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'limit', '1000'],
};

/** What keeps this process from making a link of the kind, or any: a sentence for people. Takes some ms. */
export function linkMissing(kind?: LinkKind): string | undefined {
  return missing(kind, []);
}

/** The same for this program in a user namespace: see `runInUserNamespace`. */
export function linkMissingInUserNamespace(kind?: LinkKind): string | undefined {
  return missing(kind, AS_ROOT_OF_ITS_OWN);
}

/** The kind asked for, or the better one. */
export function availableKind(kind?: LinkKind): LinkKind {
  const why = linkMissing(kind);
  if (why !== undefined) throw new LinkUnavailable(`no link between two hosts can be made here: ${why}`);
  return kind ?? (linkMissing('netem') === undefined ? 'netem' : 'tun');
}

/**
 * Runs this program again, from its start and with its arguments, as root of a user namespace of its own, and resolves
 * with the code that it ends with. It ends when this process does.
 */
export async function runInUserNamespace(): Promise<number> {
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const [file, ...args] = [...AS_ROOT_OF_ITS_OWN, 'setpriv', '--pdeathsig', 'KILL', ...program] as [
    string,
    ...string[],
  ];
  const child = spawn(file, args, { stdio: 'inherit' });
  // Ctrl-C reaches the child from the terminal; this process waits for what it does about it.
  const wait = () => {};
  const forward = () => child.kill('SIGTERM');
  process.on('SIGINT', wait);
  process.on('SIGTERM', forward);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[signal as NodeJS.Signals];
  } finally {
    process.off('SIGINT', wait);
    process.off('SIGTERM', forward);
  }
}

function missing(kind: LinkKind | undefined, prefix: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return `network namespaces are Linux's, and this is ${process.platform}`;
  const program = missingProgram();
  if (program !== undefined) return program;
  const refused = failureOf([...prefix, ...IN_NEW_NETWORK, 'true']);
  if (refused !== undefined) {
    return prefix.length === 0
      ? `this account may make no network namespace (${refused}): run it as root; a container needs ` +
          'the capabilities SYS_ADMIN and NET_ADMIN'
      : `this account may make no user namespace (${refused}): run it as root`;
  }
  const readOnly = failureOf([...prefix, ...IN_NEW_NETWORK, ...APPLY_SETTINGS]);
  if (readOnly !== undefined) return `/proc/sys cannot be written (${readOnly}): in a container run that privileged`;
  if (kind !== undefined) return missingForKind(kind, prefix);
  const netem = missingForKind('netem', prefix);
  const tun = netem && missingForKind('tun', prefix);
  return tun && `${netem}; ${tun}`;
}

function missingProgram(kind?: LinkKind): string | undefined {
  const program = PROGRAMS.find((program) => program.kind === kind && !isInstalled(program.name));
  return program && `${program.name} is not installed; it comes with Debian's package ${program.debianPackage}`;
}

function missingForKind(kind: LinkKind, prefix: readonly string[]): string | undefined {
  const program = missingProgram(kind);
  if (program !== undefined) return program;
  const refused = failureOf([...prefix, ...IN_NEW_NETWORK, ...TRIALS[kind]]);
  if (refused === undefined) return undefined;
  return kind === 'netem'
    ? `the kernel has no netem (${refused}): its module sch_netem is needed, or TUN`
    : `${refused}: this account has to read and write /dev/net/tun; a container has to be given that device`;
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), fileAccess.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** undefined where it succeeds. */
function failureOf([file, ...args]: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync(file as string, args, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return error?.message ?? (stderr.trim().split('\n')[0] || `it ended with ${status}`);
}
