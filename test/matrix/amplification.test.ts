/**
 * Matrix item 5: whatever a client sends, no UDP address gets more datagrams than it sent, nor more than three times the
 * bytes; at every prefix.
 */
import { createServer, type Server } from 'node:tls';
import { expect } from 'chai';
import { Random } from '../simulator/random.js';
import { checked, clientDatagram } from '../support/bytes.js';
import { makeCertificate } from '../support/certificates.js';
import { clientHello } from '../support/client-hello.js';
import { EngineRig, type RigClient, record, settle } from '../support/engine-rig.js';
import { announceSeed, byForm, isLong, seed } from './support.js';

const FLIGHTS = Number(process.env.TURBOTLS_COUNT ?? byForm({ short: 5_000, long: 1_000_000 }));
const REAL_FLIGHTS = byForm({ short: 150, long: 5000 });
const BATCH = 250;
const ROUNDS = 3;

interface Account {
  datagramsIn: number;
  bytesIn: number;
  datagramsOut: number;
  bytesOut: number;
}

/** Counts what goes in and out for each UDP address, and fails at the first datagram that is too much. */
class Books {
  readonly #accounts = new Map<string, Account>();
  total: Account = { datagramsIn: 0, bytesIn: 0, datagramsOut: 0, bytesOut: 0 };
  /** The largest ratios seen, at any prefix, of any address. */
  worst = { datagrams: 0, bytes: 0 };

  of({ address, port }: { address: string; port: number }): Account {
    const key = `${address}:${port}`;
    let account = this.#accounts.get(key);
    if (!account) {
      account = { datagramsIn: 0, bytesIn: 0, datagramsOut: 0, bytesOut: 0 };
      this.#accounts.set(key, account);
    }
    return account;
  }

  received(from: { address: string; port: number }, bytes: number): void {
    for (const account of [this.of(from), this.total]) {
      account.datagramsIn++;
      account.bytesIn += bytes;
    }
  }

  sent(to: { address: string; port: number }, bytes: number): void {
    const account = this.of(to);
    for (const each of [account, this.total]) {
      each.datagramsOut++;
      each.bytesOut += bytes;
    }
    const { datagramsIn, bytesIn, datagramsOut, bytesOut } = account;
    this.worst.datagrams = Math.max(this.worst.datagrams, datagramsOut / datagramsIn);
    this.worst.bytes = Math.max(this.worst.bytes, bytesOut / bytesIn);
    if (datagramsOut > datagramsIn || bytesOut > 3 * bytesIn) {
      throw new Error(`${to.address}:${to.port} got more than it earned: ${JSON.stringify(account)}`);
    }
  }

  /** Forgets the addresses, not the totals. */
  turnPage(): void {
    this.#accounts.clear();
  }
}

/** A rig whose datagrams are all in the books. */
function keepBooks(rig: EngineRig): Books {
  const books = new Books();
  rig.udp.prependListener('message', (message: Buffer, from: { address: string; port: number }) =>
    books.received(from, message.length),
  );
  rig.udp.onSend = (sent) => {
    books.sent(sent, sent.bytes.length);
    return true;
  };
  return books;
}

describe('matrix 5: amplification', () => {
  announceSeed();
  let rig: EngineRig;

  beforeEach(() => {
    rig = new EngineRig();
  });

  afterEach(() => rig.close());

  it(`never, in ${FLIGHTS.toLocaleString('en-US')} random flights`, async function () {
    this.timeout(isLong ? 3_600_000 : 60_000);
    const random = new Random(`${seed} amplification`);
    const books = keepBooks(rig);
    const client = () =>
      rig.client({ address: `203.0.113.${random.int(256)}`, port: 1024 + random.int(64_000) || 1024 });
    for (let flights = 0; flights < FLIGHTS; flights += BATCH) {
      const clients = Array.from({ length: BATCH }, client);
      for (let round = 0; round < ROUNDS; round++) {
        for (const each of clients) act(each, random);
        for (const stream of rig.sessions) {
          if (!stream.destroyed && random.chance(0.5))
            stream.write(Buffer.alloc(random.int(random.pick([50, 3000, 60_000]))));
        }
        await settle();
      }
      rig.clock.advance(10_250);
      await settle();
      expect(rig.engine.halfOpen.sessions).to.equal(0);
      rig.sessions.length = 0;
      rig.events.length = 0;
      rig.udp.take();
      books.turnPage();
    }
    const { total, worst } = books;
    console.log(`      ${JSON.stringify({ ...total, worst })}`);
    expect(worst.datagrams).to.be.at.most(1);
    expect(worst.bytes).to.be.at.most(3);
    // It would prove nothing if the engine were silent.
    expect(total.datagramsOut).to.be.above(FLIGHTS / 2);
    expect(worst.bytes).to.be.above(2.5);
    expect(worst.datagrams).to.equal(1);
  });

  /** Whatever a client, honest or not, may send next. */
  function act(client: RigClient, random: Random): void {
    const { connectionId, from } = client;
    const receive = (bytes: Buffer, sender = from) => rig.udp.receive(bytes, sender);
    const length = random.pick([400, 400, 400 + random.int(801)]);
    for (let count = random.int(5); count >= 0; count--) {
      switch (random.int(9)) {
        case 0:
        case 1:
        case 2:
          client.send({ sequence: 1, payload: record(1 + random.int(1000)), length });
          break;
        case 3:
          client.send({ sequence: 1 + random.int(20), payload: random.bytes(1 + random.int(100)), length });
          break;
        case 4:
        case 5:
          client.send({ acknowledged: random.int(3), length });
          break;
        case 6:
          // Somebody else asks in its name.
          receive(clientDatagram({ connectionId, length }), { ...from, port: from.port ^ 1 });
          break;
        case 7: {
          const bytes = clientDatagram({ connectionId, sequence: 1, payload: record(), length });
          bytes[random.int(bytes.length)] = random.int(256);
          receive(bytes);
          break;
        }
        default:
          receive(random.chance(0.5) ? random.bytes(random.int(60)) : checked(random.bytes(random.int(60))));
      }
    }
  }

  describe('with real TLS and a chain of nine certificates', () => {
    let server: Server;

    before(async () => {
      const { key, cert } = await makeCertificate({ names: ['localhost'], chainLength: 9 });
      server = createServer({ key, cert });
      server.on('tlsClientError', () => {});
    });

    /** The flight is longer than what a client of six datagrams earns at most. */
    it('answers no more than was earned, and all of it once it was', async () => {
      await rig.close();
      rig = new EngineRig({ onSession: (io) => server.emit('connection', io) });
      const books = keepBooks(rig);
      const client = rig.client();
      const hello = clientHello({ servername: 'localhost' });
      for (let at = 0, sequence = 1; at < hello.length; at += 1100, sequence++) {
        client.send({ sequence, payload: hello.subarray(at, at + 1100) });
      }
      await settle();
      const { datagramsIn } = books.of(client.from);
      const answers = client.answers();
      expect(answers).to.have.length(datagramsIn);
      const flight = (answers[0]?.remaining ?? 0) + (answers[0]?.payload.length ?? 0);
      expect(flight).to.be.above(3000);
      while ((answers.at(-1)?.remaining ?? 0) > 0) {
        client.request(answers.length);
        const more = client.answers();
        expect(more).to.have.length(1);
        answers.push(...more);
      }
      expect(answers.reduce((sum, { payload }) => sum + payload.length, 0)).to.equal(flight);
      client.request(answers.length);
      expect(client.answers()).to.deep.equal([]);
      expect(books.worst.datagrams).to.equal(1);
      expect(books.worst.bytes).to.be.within(1, 3);
    });

    it(`never, in ${REAL_FLIGHTS} random flights`, async function () {
      this.timeout(isLong ? 600_000 : 30_000);
      const random = new Random(`${seed} real`);
      await rig.close();
      rig = new EngineRig({ onSession: (io) => server.emit('connection', io) });
      const books = keepBooks(rig);
      let answered = 0;
      for (let flights = 0; flights < REAL_FLIGHTS; flights++) {
        const client = rig.client();
        const hello = clientHello({ servername: 'localhost' });
        const parts = cut(hello, random);
        const steps = [
          ...parts.map((payload, index) => () => client.send({ sequence: index + 1, payload })),
          ...parts.map((payload, index) => () => client.send({ sequence: index + 1, payload, length: 1200 })),
          ...Array.from({ length: random.int(10) }, () => () => client.request()),
        ];
        for (const step of random.chance(0.5) ? steps : random.shuffle(steps)) {
          step();
          if (random.chance(0.3)) await settle();
        }
        await settle();
        if (client.answers().length > 0) answered++;
        if (flights % 100 === 99) rig.clock.advance(10_250);
      }
      expect(answered).to.equal(REAL_FLIGHTS);
      expect(books.worst.datagrams).to.be.at.most(1);
      expect(books.worst.bytes).to.be.at.most(3);
    });
  });
});

/** The bytes in one to four pieces that fit a datagram. */
function cut(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const least = Math.max(1, rest.length - (3 - pieces.length) * 1100);
    const length = Math.min(1100, least + random.int(1100));
    pieces.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return pieces;
}
