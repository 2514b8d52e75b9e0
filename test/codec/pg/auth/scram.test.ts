import { expect } from 'chai';
import * as fc from 'fast-check';
import { SaltedPasswords } from '../../../../src/codec/pg/auth/salted-passwords.js';
import type { ChannelBindingFlag } from '../../../../src/codec/pg/auth/scram.js';
import { defaultPgLimits } from '../../../../src/codec/pg/limits.js';
import { ScramServer, type ScramServerOptions } from './scram-server.js';
import { type ClientSettings, failure, outcome, scramClient } from './support.js';

/** RFC 7677 section 3. */
const RFC = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

function rfcClient(settings: ClientSettings = {}) {
  return scramClient({ userName: 'user', nonce: RFC.nonce, ...settings });
}

async function atFinal() {
  const client = rfcClient();
  await client.continue(Buffer.from(RFC.serverFirst));
  return client;
}

async function exchange(settings: ClientSettings, options: ScramServerOptions): Promise<void> {
  const client = scramClient(settings);
  const server = new ScramServer(options);
  const clientFinal = await client.continue(server.first(client.clientFirst));
  client.verify(server.final(clientFinal));
}

describe('codec/pg/auth/scram', () => {
  it("goes through RFC 7677's exchange to the byte", async () => {
    const client = rfcClient();
    expect(client.mechanism).to.equal('SCRAM-SHA-256');
    expect(client.clientFirst.toString()).to.equal(RFC.clientFirst);
    expect((await client.continue(Buffer.from(RFC.serverFirst))).toString()).to.equal(RFC.clientFinal);
    client.verify(Buffer.from(RFC.serverFinal));
  });

  it('says of the channel what it was told to say', () => {
    const data = Buffer.from('0123');
    const flags: [ChannelBindingFlag, string, string][] = [
      [{ type: 'none' }, 'n,,n=,r=abc', 'SCRAM-SHA-256'],
      [{ type: 'unused' }, 'y,,n=,r=abc', 'SCRAM-SHA-256'],
      [{ type: 'tls-server-end-point', data }, 'p=tls-server-end-point,,n=,r=abc', 'SCRAM-SHA-256-PLUS'],
    ];
    for (const [binding, clientFirst, mechanism] of flags) {
      const client = scramClient({ binding, nonce: 'abc' });
      expect([client.clientFirst.toString(), client.mechanism]).to.deep.equal([clientFirst, mechanism]);
    }
  });

  it('escapes the user name', () => {
    expect(scramClient({ userName: 'a=b,c', nonce: 'x' }).clientFirst.toString()).to.equal('n,,n=a=3Db=2Cc,r=x');
  });

  it('has another nonce each time, of 18 random bytes', () => {
    const nonces = Array.from({ length: 100 }, () => scramClient().clientFirst.toString().slice('n,,n=,r='.length));
    expect(new Set(nonces).size).to.equal(100);
    for (const nonce of nonces) expect(nonce).to.match(/^[A-Za-z0-9+/]{24}$/);
  });

  it('logs in at any server with the same password, and at none with another', async () => {
    const password = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme-ascii', minLength: 1 }));
    const salt = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(password, salt, fc.integer({ min: 1, max: 50 }), async (text, bytes, iterations) => {
        await exchange({ password: text }, { password: text, salt: bytes, iterations });
        const wrong = exchange({ password: `${text}x` }, { password: text, salt: bytes, iterations });
        expect(await wrong.catch(({ message }: Error) => message)).to.equal('wrong password');
      }),
    );
  });

  it('binds to the certificate: the proof is worthless on another channel', async () => {
    const data = Buffer.alloc(32, 1);
    const binding: ChannelBindingFlag = { type: 'tls-server-end-point', data };
    await exchange({ binding }, { password: 'pencil', endPoint: data });
    const elsewhere = exchange({ binding }, { password: 'pencil', endPoint: Buffer.alloc(32, 2) });
    expect(await elsewhere.catch(({ message }: Error) => message)).to.equal('the channel binding is wrong');
  });

  it('refuses a server that does not know the password', async () => {
    const client = scramClient();
    const liar = new ScramServer({ password: 'another', salt: Buffer.from('salt') });
    await client.continue(liar.first(client.clientFirst));
    const other = scramClient({ password: 'another' });
    const clientFinal = await other.continue(liar.first(other.clientFirst));
    expect(await outcome(() => client.verify(liar.final(clientFinal)))).to.equal('ERR_PG_SERVER_PROOF');
  });

  it('refuses every other signature', async () => {
    const signature = Buffer.from(RFC.serverFinal.slice(2), 'base64');
    for (let bit = 0; bit < 256; bit++) {
      const client = await atFinal();
      const flipped = Buffer.from(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      const run = () => client.verify(Buffer.from(`v=${flipped.toString('base64')}`));
      expect(await outcome(run), `bit ${bit}`).to.equal('ERR_PG_SERVER_PROOF');
    }
  });

  it('refuses every truncation of the server messages', async () => {
    // What is cut behind "i=4" is whole, and another exchange.
    for (let length = 0; length < RFC.serverFirst.length - 3; length++) {
      const run = () => rfcClient().continue(Buffer.from(RFC.serverFirst.slice(0, length)));
      expect(await outcome(run), `${length} bytes of server-first`).to.equal('ERR_PG_SCRAM');
    }
    for (let length = 0; length < RFC.serverFinal.length; length++) {
      const client = await atFinal();
      const run = () => client.verify(Buffer.from(RFC.serverFinal.slice(0, length)));
      expect(await outcome(run), `${length} bytes of server-final`).to.equal('ERR_PG_SCRAM');
    }
  });

  it('never comes to a proven server with one byte of server-first changed', async () => {
    const salted = new SaltedPasswords(defaultPgLimits);
    const serverFirst = RFC.serverFirst.replace('4096', '9');
    for (let at = 0; at < serverFirst.length; at++) {
      for (const byte of [0, 0x2c, 0x3d, 0x41, 0x7f, 0xff]) {
        const changed = Buffer.from(serverFirst);
        if (changed[at] === byte) continue;
        changed[at] = byte;
        const client = rfcClient({ salted });
        const run = async () => {
          await client.continue(changed);
          client.verify(Buffer.from(RFC.serverFinal));
        };
        expect(await outcome(run), `${byte} at ${at}`).to.be.oneOf(['ERR_PG_SCRAM', 'ERR_PG_SERVER_PROOF']);
      }
    }
  });

  describe('takes no server-first but one as the RFC has it:', () => {
    const cases: [string, string, RegExp][] = [
      ['nothing', '', /list of attributes/],
      ['no comma', 'r=abcd', /attribute s is missing/],
      ['another order', 's=QUJD,r=abcd,i=1', /attribute r is missing/],
      ['an attribute twice', 'r=abcd,r=abcd,s=QUJD,i=1', /attribute s is missing/],
      ['an attribute again at the end', 'r=abcd,s=QUJD,i=1,i=2', /attribute i is not in its place/],
      ['a mandatory extension', 'm=x,r=abcd,s=QUJD,i=1', /extension that is not known/],
      ['a mandatory extension at the end', 'r=abcd,s=QUJD,i=1,m=x', /extension that is not known/],
      ['no attribute at the end', 'r=abcd,s=QUJD,i=1,', /list of attributes/],
      ['garbage at the end', 'r=abcd,s=QUJD,i=1,hello', /list of attributes/],
      ['a zero byte at the end', 'r=abcd,s=QUJD,i=1\0', /list of attributes/],
      ["another's nonce", 'r=xbcd,s=QUJD,i=1', /does not extend/],
      ["the client's nonce alone", 'r=abc,s=QUJD,i=1', /does not extend/],
      ['a short nonce', 'r=ab,s=QUJD,i=1', /does not extend/],
      ['a nonce with a space', 'r=abc d,s=QUJD,i=1', /not printable/],
      ['a nonce in UTF-8', 'r=abcé,s=QUJD,i=1', /not printable/],
      ['a salt without padding', 'r=abcd,s=QUI,i=1', /not base64/],
      ['a salt with what is not base64', 'r=abcd,s=QU!D,i=1', /not base64/],
      ['a salt in base64url', 'r=abcd,s=-_-_,i=1', /not base64/],
      ['a salt with bits left over', 'r=abcd,s=QUJ=,i=1', /not base64/],
      ['a salt that goes on after its padding', 'r=abcd,s=QQ==QQ==,i=1', /not base64/],
      ['no salt', 'r=abcd,s=,i=1', /list of attributes/],
      ['no iterations', 'r=abcd,s=QUJD,i=0', /not a positive number/],
      ['negative iterations', 'r=abcd,s=QUJD,i=-1', /not a positive number/],
      ['a leading zero', 'r=abcd,s=QUJD,i=01', /not a positive number/],
      ['a fraction', 'r=abcd,s=QUJD,i=1.5', /not a positive number/],
      ['an exponent', 'r=abcd,s=QUJD,i=1e3', /not a positive number/],
      ['hexadecimal', 'r=abcd,s=QUJD,i=0x10', /not a positive number/],
      ['a space', 'r=abcd,s=QUJD,i= 1', /not a positive number/],
      ['one iteration too many', 'r=abcd,s=QUJD,i=1000001', /more iterations than the limit of 1000000/],
      ['endless iterations', `r=abcd,s=QUJD,i=${'9'.repeat(400)}`, /more iterations than the limit/],
      ['an error', 'e=unknown-user', /the server refused it \(unknown-user\)/],
      ['an error that is not fit to show', 'e=\u001b[31m', /the server refused it$/],
      ['an error that is long', `e=${'x'.repeat(65)}`, /the server refused it$/],
      ['too many bytes', `r=abcd,s=QUJD,i=1,x=${'x'.repeat(4096)}`, /more than the limit of 4096/],
    ];
    for (const [name, serverFirst, message] of cases) {
      it(name, async () => {
        const error = await failure(() => scramClient({ nonce: 'abc' }).continue(Buffer.from(serverFirst)));
        expect(error.code).to.equal('ERR_PG_SCRAM');
        expect(error.message).to.match(message);
      });
    }
  });

  it('ignores extensions that are optional', async () => {
    await scramClient({ nonce: 'abc' }).continue(Buffer.from('r=abcd,s=QUJD,i=1,x=what=ever,Y=é'));
    const client = await atFinal();
    client.verify(Buffer.from(`${RFC.serverFinal},x=1`));
  });

  it('takes as many iterations as the limit, and a message as long as the limit', async () => {
    const limits = { scramIterations: 3, scramMessageBytes: 24 };
    expect(
      await outcome(() => scramClient({ nonce: 'abc', limits }).continue(Buffer.from('r=abcd,s=QUJD,i=3'))),
    ).to.equal('done');
    expect(
      await outcome(() => scramClient({ nonce: 'abc', limits }).continue(Buffer.from('r=abcd,s=QUJD,i=4'))),
    ).to.equal('ERR_PG_SCRAM');
    const long = (length: number) => Buffer.from('r=abcd,s=QUJD,i=3,x='.padEnd(length, 'x'));
    expect(await outcome(() => scramClient({ nonce: 'abc', limits }).continue(long(24)))).to.equal('done');
    expect(await outcome(() => scramClient({ nonce: 'abc', limits }).continue(long(25)))).to.equal('ERR_PG_SCRAM');
  });

  describe('takes no server-final but one as the RFC has it:', () => {
    const signature = RFC.serverFinal.slice(2);
    const cases: [string, string, RegExp][] = [
      ['nothing', '', /list of attributes/],
      ['an error', 'e=invalid-proof', /the server refused it \(invalid-proof\)/],
      ['an error before the signature', `e=other-error,v=${signature}`, /the server refused it \(other-error\)/],
      ['an error behind the signature', `v=${signature},e=other-error`, /attribute e is not in its place/],
      ['another attribute', `w=${signature}`, /attribute v is missing/],
      ['a mandatory extension', `v=${signature},m=x`, /extension that is not known/],
      ['a signature of 31 bytes', `v=${Buffer.alloc(31).toString('base64')}`, /not base64 of 32 bytes/],
      ['a signature of 33 bytes', `v=${Buffer.alloc(33).toString('base64')}`, /not base64 of 32 bytes/],
      ['a signature that is not base64', `v=${signature.slice(0, -2)}!=`, /not base64 of 32 bytes/],
      ['a second signature', `v=${signature},v=${signature}`, /attribute v is not in its place/],
      ['too many bytes', `v=${signature},x=${'x'.repeat(4096)}`, /more than the limit of 4096/],
    ];
    for (const [name, serverFinal, message] of cases) {
      it(name, async () => {
        const client = await atFinal();
        const error = await failure(() => client.verify(Buffer.from(serverFinal)));
        expect(error.code).to.equal('ERR_PG_SCRAM');
        expect(error.message).to.match(message);
      });
    }
  });

  it('takes the messages in their order, each once, and none after a failure', async () => {
    const serverFirst = Buffer.from(RFC.serverFirst);
    const serverFinal = Buffer.from(RFC.serverFinal);
    const fresh = rfcClient();
    expect(await outcome(() => fresh.verify(serverFinal)), 'final first').to.equal('ERR_PG_SCRAM');
    const client = rfcClient();
    const first = client.continue(serverFirst);
    expect(await outcome(() => client.verify(serverFinal)), 'final while computing').to.equal('ERR_PG_SCRAM');
    expect(await outcome(() => client.continue(serverFirst)), 'first while computing').to.equal('ERR_PG_SCRAM');
    await first;
    expect(await outcome(() => client.continue(serverFirst)), 'first again').to.equal('ERR_PG_SCRAM');
    client.verify(serverFinal);
    expect(await outcome(() => client.verify(serverFinal)), 'final again').to.equal('ERR_PG_SCRAM');
    const failed = rfcClient();
    expect(await outcome(() => failed.continue(Buffer.from('r=x')))).to.equal('ERR_PG_SCRAM');
    expect(await outcome(() => failed.continue(serverFirst)), 'after a failure').to.equal('ERR_PG_SCRAM');
  });

  it('does not mind that the bytes of server-first are used again once it has been given them', async () => {
    const client = rfcClient();
    const bytes = Buffer.from(RFC.serverFirst);
    const clientFinal = client.continue(bytes);
    bytes.fill(0);
    expect((await clientFinal).toString()).to.equal(RFC.clientFinal);
  });

  it('has no secret in its errors', async () => {
    const client = rfcClient({ password: 'hunter2' });
    await client.continue(Buffer.from(RFC.serverFirst));
    const error = await failure(() => client.verify(Buffer.from(RFC.serverFinal)));
    expect(`${error.stack} ${JSON.stringify(error)}`).not.to.include('hunter2');
  });
});
