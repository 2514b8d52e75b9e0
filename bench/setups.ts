/** What stands between client and server in the benchmark of proxies: HAProxy, stunnel, and the program `turbotls`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../test/servers/daemon.js';
import type { NginxServer, RedisServer } from '../test/servers/index.js';
import { locatePart } from '../test/servers/parts.js';
import type { Certificate } from '../test/support/certificates.js';

export const NAMES = { redis: 'redis.test', web: 'www.test' } as const;

/** Where clients connect. */
export interface Ports {
  redis: number;
  web: number;
}

/** A process in the middle, and its CPU so far. */
export interface Middle {
  readonly pid: number;
  ports: Ports;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'turbotls-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** User and system CPU of a process, s. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may hold anything: the 12th and 13th field, in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

let files = 0;

function write(text: string): string {
  const path = join(folder, `file${files++}`);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

async function freePorts(): Promise<Ports> {
  return { redis: await freePort(), web: await freePort() };
}

async function start(command: string, args: readonly string[], ports: Ports): Promise<Middle> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      said += text;
    });
  }
  for (let tries = 0; !(await answers(ports.web)); tries++) {
    if (child.exitCode !== null || tries === 500) throw new Error(`${command} ${args.join(' ')}:\n${said}`);
    await delay(10);
  }
  return { pid: child.pid as number, ports, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  const exited = child.exitCode === null ? once(child, 'exit') : undefined;
  child.kill('SIGKILL');
  await exited;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ host: HOST, port });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

export function tlsPorts({ redis, nginx }: { redis: RedisServer; nginx: NginxServer }): Ports {
  return { redis: redis.tlsPort, web: nginx.tlsPort };
}

export function plainPorts({ redis, nginx }: { redis: RedisServer; nginx: NginxServer }): Ports {
  return { redis: redis.port, web: nginx.port };
}

/** One thread, as Node has one. @param certificate where TLS ends */
export async function haproxy(to: Ports, certificate?: Certificate): Promise<Middle> {
  const ports = await freePorts();
  const ssl = certificate ? ` ssl crt ${write(`${certificate.cert}\n${certificate.key}\n`)}` : '';
  const listen = (name: keyof Ports) =>
    `listen ${name}\n  bind ${HOST}:${ports[name]}${ssl}\n  server one ${HOST}:${to[name]}\n`;
  const timeouts = ['connect 5s', 'client 1m', 'server 1m'].map((text) => `  timeout ${text}\n`).join('');
  const text = `global\n  nbthread 1\n  maxconn 2000\ndefaults\n  mode tcp\n${timeouts}${listen('redis')}${listen('web')}`;
  return start(locatePart('haproxy'), ['-db', '-f', write(text)], ports);
}

/** TLS ends there, or begins there. */
export async function stunnel(to: Ports, side: 'server' | 'client', { cert, key, ca }: Certificate): Promise<Middle> {
  const ports = await freePorts();
  const tls = (name: keyof Ports) =>
    side === 'server'
      ? `cert = ${write(cert)}\nkey = ${write(key)}\n`
      : `client = yes\nCAfile = ${write(ca)}\nverifyChain = yes\nsni = ${NAMES[name]}\ncheckHost = ${NAMES[name]}\n`;
  const service = (name: keyof Ports) =>
    `[${name}]\naccept = ${HOST}:${ports[name]}\nconnect = ${HOST}:${to[name]}\n${tls(name)}`;
  const common = 'foreground = yes\npid =\ndebug = 3\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n';
  return start(locatePart('stunnel4'), [write(`${common}${service('redis')}${service('web')}`)], ports);
}

/** Routed by name. @param certificate where TLS ends */
export async function gateway(to: Ports, certificate?: Certificate): Promise<Middle> {
  const port = await freePort();
  const terminate = certificate && {
    terminate: { certificates: [{ cert: write(certificate.cert), key: write(certificate.key) }] },
  };
  const routes = (['redis', 'web'] as const).map((name) => ({
    name,
    match: { serverNames: [NAMES[name]] },
    ...terminate,
    backend: { targets: [`${HOST}:${to[name]}`] },
  }));
  const path = `${write('')}.json`;
  writeFileSync(path, JSON.stringify({ listen: [`${HOST}:${port}`], routes }));
  return turbotls(['gateway', '--config', path], { redis: port, web: port });
}

/** Transparent. */
export async function proxy({ web }: Ports): Promise<Middle> {
  const port = await freePort();
  return turbotls(['proxy', '--listen', `${HOST}:${port}`, '--to', `${HOST}:${web}`], { redis: port, web: port });
}

/** Makes TLS of its own: one process for each name. */
export async function originating({ web }: Ports, name: keyof Ports, { ca }: Certificate): Promise<Middle> {
  const port = await freePort();
  const options = ['--tls', '--server-name', NAMES[name], '--ca', write(ca)];
  return turbotls(['proxy', '--listen', `${HOST}:${port}`, '--to', `${HOST}:${web}`, ...options], {
    redis: port,
    web: port,
  });
}

function turbotls(args: readonly string[], ports: Ports): Promise<Middle> {
  return start(process.execPath, [MAIN, ...args, '--log-level', 'warn'], ports);
}
