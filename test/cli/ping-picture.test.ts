import { expect } from 'chai';
import { pingPicture } from '../../src/cli/ping-picture.js';
import type { PingReport } from '../../src/gateway/ping.js';

const STYLE = { width: 80, colour: false, unicode: false };

const REPORT: PingReport = {
  version: 1,
  host: 'db.example.test',
  port: 443,
  serverName: 'db.example.test',
  startedAt: '2026-01-01T00:00:00.000Z',
  dns: { ok: true, address: '203.0.113.5', ms: 3 },
  tcp: { ok: true, ms: 20 },
  tlsBegins: 'direct',
  tls: {
    'TLSv1.3': {
      ok: true,
      tcpMs: 20,
      totalMs: 40,
      cipher: 'TLS_AES_256_GCM_SHA384',
      group: 'X25519',
      helloRetry: false,
    },
    'TLSv1.2': { ok: false, error: 'tlsv1 alert protocol version', code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' },
  },
  certificate: {
    subject: 'CN=db.example.test',
    issuer: 'CN=Authority',
    names: ['db.example.test', '203.0.113.5'],
    validFrom: '2026-01-01T00:00:00.000Z',
    validTo: '2026-03-01T00:00:00.000Z',
    daysLeft: 59,
    chain: ['CN=db.example.test', 'CN=Authority'],
    trusted: true,
    reason: null,
  },
  alpn: [
    { protocol: 'h2', answer: 'agreed' },
    { protocol: 'postgresql', answer: 'refused' },
  ],
  turbo: { ok: true, carrier: 'udp', totalMs: 21, timeline: { udpSent: 0, udpAnswered: 20 } },
  postgres: { spoken: false, sslRequest: 'closed', gssencRequest: 'closed', direct: false },
};

describe('cli: ping picture', () => {
  it('draws all steps on one scale', () => {
    expect(pingPicture(REPORT, STYLE)).to.equal(`\
db.example.test:443 (203.0.113.5)

               0     10    20    30    40 ms
  TCP          ------------              20 ms
  TLS 1.3      ------------############  40 ms   TLS_AES_256_GCM_SHA384, X25519
  TLS 1.2      no: tlsv1 alert protocol version
  TurboTLS     =============             21 ms   over UDP

  Certificate  CN=db.example.test
    for        db.example.test, 203.0.113.5
    issuer     CN=Authority; 2 in the chain
    until      2026-03-01, 59 days
    trusted    yes
  ALPN         h2 yes, postgresql no
  PostgreSQL   no

TurboTLS saved 19 ms.`);
  });

  it('uses blocks and colours where it may', () => {
    const drawn = pingPicture(REPORT, { ...STYLE, colour: true, unicode: true });
    expect(drawn).to.include('\x1b[34m────────────\x1b[0m\x1b[32m████████████\x1b[0m');
    expect(drawn).to.include('\x1b[31mno: tlsv1 alert protocol version\x1b[0m');
  });

  it('says what did not come about', () => {
    const tcp = { ok: false, error: 'connect ECONNREFUSED 203.0.113.5:443', code: 'ECONNREFUSED' } as const;
    expect(pingPicture({ ...REPORT, tcp, tlsBegins: null, certificate: null, alpn: [] }, STYLE)).to.equal(`\
db.example.test:443 (203.0.113.5)

  TCP          no: connect ECONNREFUSED 203.0.113.5:443
`);
    const dns = { ok: false, error: 'getaddrinfo ENOTFOUND db.example.test', code: 'ENOTFOUND' } as const;
    expect(pingPicture({ ...REPORT, dns, tcp }, STYLE)).to.match(/^db\.example\.test:443\n\n {2}name +no: getaddrinfo/);
  });

  it('gives hints about round trips', () => {
    const postgres = { spoken: true, sslRequest: 'S', gssencRequest: 'N', direct: false } as const;
    const slow = { ...REPORT.tls['TLSv1.3'], group: 'prime256v1', helloRetry: true } as PingReport['tls']['TLSv1.3'];
    const report = { ...REPORT, tlsBegins: 'ssl-request', postgres, tls: { ...REPORT.tls, 'TLSv1.3': slow } } as const;
    const drawn = pingPicture(report, STYLE);
    expect(drawn).to.match(
      /The server asks for prime256v1, .* one round trip more \(ssl_ecdh_curve, PostgreSQL 18\)\./,
    );
    expect(drawn).to.match(/TLS begins behind SSLRequest, one round trip later/);
    expect(drawn).to.include('PostgreSQL   SSLRequest yes, direct TLS no, GSSENCRequest no');
  });

  it('lets nothing of the server reach the terminal as a command', () => {
    const evil = { ...REPORT.certificate, subject: 'CN=\x1b[2J\u202ex\r\n' } as NonNullable<PingReport['certificate']>;
    const drawn = pingPicture({ ...REPORT, certificate: evil }, STYLE);
    expect(drawn).to.include('Certificate  CN=?[2J?x??\n');
  });
});
