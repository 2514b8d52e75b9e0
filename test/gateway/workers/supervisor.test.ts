/** The main process of a gateway with workers, where workers refuse plans or die at them: real processes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type SharedPlan, Supervisor, type SupervisorEvent } from '../../../src/gateway/workers/index.js';
import { until } from '../../support/engine-rig.js';
import type { Turn } from './scripted-worker.js';

const MODULE = new URL('./scripted-worker.js', import.meta.url);

/** What a busy machine may take. */
const PATIENCE_MS = 20_000;

describe('gateway workers: main process', function () {
  this.timeout(30_000);
  let folder: string;
  let scripts = 0;
  let supervisor: Supervisor | undefined;
  let events: SupervisorEvent[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turbotls-supervisor-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(async () => {
    await supervisor?.close();
    supervisor = undefined;
  });

  async function planOf(turns: Turn[], { workers = 1, address = '127.0.0.1:0' } = {}): Promise<SharedPlan> {
    const file = join(folder, `turns-${scripts++}`);
    await writeFile(file, '');
    const gateway = { listen: [address], routes: [{ name: 'web', backend: { targets: ['127.0.0.1:1'] } }] };
    return { text: JSON.stringify({ gateway, turns, file }), workers, drainTimeoutMs: 100 };
  }

  async function started(plan: SharedPlan): Promise<Supervisor> {
    const made = make(plan);
    await made.start();
    return made;
  }

  function make(plan: SharedPlan): Supervisor {
    const made = new Supervisor({ module: MODULE, plan, routeTimeoutMs: 10_000 });
    supervisor = made;
    events = [];
    made.events$.subscribe((event) => events.push(event));
    return made;
  }

  async function told<T extends SupervisorEvent['type']>(type: T, count = 1) {
    const found = () => events.filter((event): event is Extract<SupervisorEvent, { type: T }> => event.type === type);
    await until(() => found().length >= count, PATIENCE_MS);
    return found();
  }

  const pids = () => supervisor?.front.workers.filter(({ serving }) => serving).map(({ pid }) => Number(pid)) ?? [];

  it('does not start where a worker refuses the plan, and kills none that is on its way', async () => {
    const error = await make(await planOf(['refuse slowly', 'take slowly'], { workers: 2 }))
      .start()
      .then(
        () => expect.fail('it has started'),
        (reason: Error) => reason,
      );
    expect(error.message).to.equal('refused by the script');
    expect((await told('ended', 2)).map(({ signal }) => signal)).not.to.include('SIGKILL');
  });

  it('puts a plan in force though a worker dies at it', async () => {
    const main = await started(await planOf(['take'], { workers: 2 }));
    await main.reload(await planOf(['die', 'take'], { workers: 2 }));
    await until(() => pids().length === 2, PATIENCE_MS);
  });

  it('leaves an address that is no more, though a worker dies that had it', async () => {
    const main = await started(await planOf(['take'], { workers: 2 }));
    const [{ address } = expect.fail()] = await told('listening');
    const { port } = address as { port: number };
    await main.reload(await planOf(['take', 'die', 'take'], { workers: 2, address: 'localhost:0' }));
    await until(() => pids().length === 2, PATIENCE_MS);
    expect(await accepts(port)).to.equal(false);
  });

  it('takes another plan where no worker can serve by the one before', async () => {
    const main = await started(await planOf(['take', 'refuse']));
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await told('plan-refused');
    await main.reload(await planOf(['take']));
    await until(() => pids().length === 1, PATIENCE_MS);
  });

  it('has a plan in force where one more worker cannot be started', async () => {
    const main = await started(await planOf(['take']));
    await main.reload(await planOf(['take', 'refuse'], { workers: 2 }));
    await told('too-few');
    expect(pids()).to.have.length(1);
  });

  it('replaces a worker that is spent, though it does not come off at first', async () => {
    await started(await planOf(['take and be spent', 'refuse', 'take']));
    const [first] = pids();
    await told('plan-refused');
    await until(() => pids().length === 1 && pids()[0] !== first, PATIENCE_MS);
  });

  it('replaces a worker that began by the plan before and refuses the next one', async () => {
    const main = await started(await planOf(['take', 'take', 'take slowly'], { workers: 2 }));
    const [, killed = 0] = pids();
    process.kill(killed, 'SIGKILL');
    await told('started', 3);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await main.reload(await planOf(['take', 'refuse', 'take'], { workers: 2 }));
    const [{ worker } = expect.fail()] = await told('plan-refused');
    await until(() => pids().length === 2 && !pids().includes(Number(worker.pid)), PATIENCE_MS);
  });
});

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
