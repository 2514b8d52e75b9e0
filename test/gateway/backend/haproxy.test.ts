import { expect } from 'chai';
import type { ClientInfo } from '../../../src/gateway/backend/index.js';
import { encodeProxyV2 } from '../../../src/wire/proxy-protocol.js';
import { requirePart } from '../../servers/index.js';
import { startHaproxy } from './haproxy.js';
import { CLIENT, Rig } from './rig.js';

describe('gateway backend: HAProxy hears', function () {
  this.timeout(30_000);
  const rig = Rig.use();
  let haproxy: Awaited<ReturnType<typeof startHaproxy>>;

  before(async function () {
    requirePart(this, 'haproxy');
    haproxy = await startHaproxy();
  });
  after(() => haproxy?.stop());

  /** The body of its answer; empty where it closes instead. `header` is sent in place of the pool's own. */
  async function told(client: Partial<ClientInfo>, header?: Buffer): Promise<string> {
    const pool = rig.pool([{ host: '127.0.0.1', port: haproxy.port }], { proxyProtocol: header === undefined });
    const { stream } = await rig.dial(pool, client);
    if (header) stream.write(header);
    stream.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of stream) answer += chunk;
    return answer.split('\r\n\r\n')[1] ?? '';
  }

  it('of a client over IPv4, and the name that it asked for', async () => {
    expect(await told({})).to.equal('203.0.113.9 50000 198.51.100.1 443 db.example.com');
  });

  it('of IPv4 on a dual-stack socket as of IPv4', async () => {
    const client = { address: '::ffff:203.0.113.9', localAddress: '::ffff:198.51.100.1' };
    expect(await told(client)).to.equal('203.0.113.9 50000 198.51.100.1 443 db.example.com');
  });

  it('of IPv6, beside IPv4 too', async () => {
    expect(await told({ address: '2001:db8::9', localAddress: '2001:db8::1' })).to.match(
      /^2001:db8::9 50000 2001:db8::1 443 /,
    );
    expect(await told({ address: '2001:db8::9' })).to.match(/^2001:db8::9 50000 ::ffff:198\.51\.100\.1 443 /);
  });

  it('of TLS and ALPN, which it does not stumble over', async () => {
    const tls = { verified: true, version: 'TLSv1.3', commonName: 'Ελένη', cipher: 'TLS_AES_256_GCM_SHA384' };
    expect(await told({ alpn: 'h2', tls })).to.match(/^203\.0\.113\.9 50000 .* db\.example\.com$/);
    expect(await told({ serverName: undefined, alpn: 'h2' })).to.match(/^203\.0\.113\.9 50000 198\.51\.100\.1 443 -?$/);
  });

  it('of the gateway itself its own address', async () => {
    expect(await told({}, encodeProxyV2({ command: 'local', version: 2 }))).to.match(/^127\.0\.0\.1 \d+ 127\.0\.0\.1 /);
  });

  it('nothing of a header whose checksum is wrong', async () => {
    const endpoints = { source: CLIENT, destination: { address: CLIENT.localAddress, port: CLIENT.localPort } };
    const header = encodeProxyV2({ command: 'proxy', version: 2, ...endpoints });
    expect(await told({}, header)).to.match(/^203\.0\.113\.9 /);
    header[17] = 9;
    const answer = await told({}, header).catch((error: NodeJS.ErrnoException) => error.code);
    expect(answer).to.be.oneOf(['', 'ECONNRESET']);
  });
});
