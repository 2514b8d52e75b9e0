import { expect } from 'chai';
import { Stopwatch } from '../../../src/compare/cases/stopwatch.js';
import { watchedTls, watchedTurbo } from '../../../src/compare/cases/watched-transport.js';
import { PathMemory } from '../../../src/experimental.js';
import type { Transport } from '../../../src/transport.js';
import { closeRigs, startTls } from '../../gateway/proxy-rig.js';
import { makeCertificate } from '../../support/certificates.js';

describe('compare: transports that tell their steps', () => {
  afterEach(closeRigs);

  async function stepsOf(transportFor: (watch: Stopwatch) => Transport) {
    const { key, cert, ca } = await makeCertificate();
    const { host, port } = await startTls({ key, cert });
    const watch = new Stopwatch();
    const stream = await transportFor(watch)({ host, port }, { tls: { ca, servername: 'localhost' } });
    stream.destroy();
    const { phases, carrier } = watch.sample();
    return { names: phases.map(({ name }) => name), carrier };
  }

  it('TLS', async () => {
    expect(await stepsOf(watchedTls)).to.deep.equal({ names: ['tcp', 'secure'], carrier: 'tcp' });
  });

  it('turbo', async () => {
    // A busy machine must not count as a path without UDP.
    const memory = new PathMemory({ limits: { graceMinMs: 1_000 } });
    const { names, carrier } = await stepsOf((watch) => watchedTurbo(watch, memory));
    expect(names).to.have.members(['tcp', 'udp', 'secure']);
    expect(names.at(-1)).to.equal('secure');
    expect(carrier).to.equal('udp');
  });
});
