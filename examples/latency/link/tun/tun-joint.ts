/** The link where the kernel has no netem: a TUN device on each host, and a process that carries packets between them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Conditions } from '../../../../src/compare/model.js';
import { CLIENT_ADDRESS, DEVICE, type Host, SERVER_ADDRESS } from '../host.js';
import { addressBatch, type Hosts, type Joint, type Recorder } from '../joint.js';
import type { TracedPacket } from '../trace.js';
import type { Answer, Order, Request } from './messages.js';

/**
 * Opens a TUN device in the network namespace that it runs in, then becomes the command that follows, which is given the
 * descriptor as its last argument. 0x400454ca is TUNSETIFF, 0x1001 IFF_TUN | IFF_NO_PI (linux/if_tun.h).
 */
export const WITH_TUN = [
  'perl',
  '-e',
  `$^F = 255; # descriptors up to this one are kept by exec
  my $name = shift;
  open(my $tun, '+<', '/dev/net/tun') or die "/dev/net/tun cannot be opened: $!\\n";
  my $request = pack('Z16 s x22', $name, 0x1001);
  ioctl($tun, 0x400454ca, $request) or die "a TUN device cannot be made: $!\\n";
  exec @ARGV, fileno($tun);
  die "$ARGV[0] cannot be run: $!\\n";`,
  DEVICE,
];

const PROCESS = fileURLToPath(new URL('link-process.js', import.meta.url));

interface Waiting {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

export class TunJoint implements Joint {
  readonly kind = 'tun';
  readonly trace: Recorder = {
    start: async () => void (await this.#ask({ kind: 'start-trace' })),
    take: async () => (await this.#ask({ kind: 'take-trace' })).trace as TracedPacket[],
  };
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #errors = '';
  #hasEnded = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.resolve(answer);
      this.#waiting.delete(answer.id);
    });
    this.#ended = once(child, 'close')
      .catch((error: Error) => {
        this.#errors += error.message;
      })
      .finally(() => this.#fail());
  }

  static async open({ client, server }: Hosts, conditions: Conditions): Promise<TunJoint> {
    const script = [process.execPath, PROCESS, JSON.stringify(conditions)];
    const [file, ...args] = withTun(client, withTun(server, script)) as [string, ...string[]];
    // Detached: Ctrl-C is for the program. The process ends when its channel does.
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true });
    const joint = new TunJoint(child);
    try {
      await joint.set(conditions);
      await Promise.all([
        client.run(['ip', '-batch', '-'], addressBatch(DEVICE, CLIENT_ADDRESS)),
        server.run(['ip', '-batch', '-'], addressBatch(DEVICE, SERVER_ADDRESS)),
      ]);
      return joint;
    } catch (error) {
      await joint.close();
      throw error;
    }
  }

  async set(conditions: Conditions): Promise<void> {
    await this.#ask({ kind: 'set', conditions });
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #ask(order: Order): Promise<Answer> {
    if (this.#hasEnded) return Promise.reject(this.#failure());
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, ...order } satisfies Request, () => {}); // its end fails what waits
    });
  }

  #fail(): void {
    this.#hasEnded = true;
    for (const { reject } of this.#waiting.values()) reject(this.#failure());
    this.#waiting.clear();
  }

  #failure(): Error {
    const { exitCode, signalCode } = this.#child;
    const said = this.#errors === '' ? '' : `: ${this.#errors.trim()}`;
    return new Error(`the process of the link has ended (${exitCode ?? signalCode})${said}`);
  }
}

function withTun(host: Host, command: readonly string[]): string[] {
  return host.command([...WITH_TUN, ...command]);
}
