import { expect } from 'chai';
import * as fc from 'fast-check';
import { PAYLOAD_MAX } from '../../src/wire/constants.js';
import { Flight, type FlightDatagram } from '../../src/wire/flight.js';
import { holds } from '../support/property.js';

type Step = { append: Buffer[] } | { cuts: number };

/** Writes and cuts in any order, over bounds that are sometimes reached. */
const histories = () =>
  fc.record({
    bounds: fc.record({ bytes: fc.integer({ min: 1, max: 20_000 }), datagrams: fc.integer({ min: 1, max: 20 }) }),
    steps: fc.array(
      fc.oneof(
        fc
          .array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.nat(255)), { maxLength: 3 })
          .map((chunks): Step => ({ append: chunks.map(([length, fill]) => Buffer.alloc(length, fill)) })),
        fc.integer({ min: 1, max: 4 }).map((cuts): Step => ({ cuts })),
      ),
      { maxLength: 20 },
    ),
  });

describe('wire/flight', () => {
  it('cuts and leaves what together is the stream, for any history', () => {
    holds(
      fc.property(histories(), ({ bounds, steps }) => {
        const flight = new Flight(bounds);
        const cut: FlightDatagram[] = [];
        let stream = Buffer.alloc(0);
        for (const step of steps) {
          if ('append' in step) {
            flight.append(step.append);
            stream = Buffer.concat([stream, ...step.append]);
            continue;
          }
          for (let index = 0; index < step.cuts; index++) {
            const { nextLength } = flight;
            const next = flight.cut();
            expect(next?.payload.length ?? 0).to.equal(nextLength);
            if (!next) continue;
            cut.push(next);
            const end = cut.reduce((sum, { payload }) => sum + payload.length, 0);
            expect(next.sequence).to.equal(cut.length);
            expect(next.remaining).to.equal(stream.length - end);
            expect(next.payload.length).to.be.within(1, PAYLOAD_MAX);
            expect(end).to.be.at.most(bounds.bytes);
          }
        }
        expect(cut.length).to.be.at.most(bounds.datagrams);
        expect(flight.bytes).to.equal(stream.length);
        expect(flight.sequence).to.equal(cut.length);
        for (let sequence = 0; sequence <= cut.length; sequence++) {
          const sent = cut.slice(0, sequence).map(({ payload }) => payload);
          expect(Buffer.concat([...sent, flight.after(sequence)]).equals(stream)).to.equal(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives a datagram again, with what remains behind it now', () => {
    const flight = new Flight({ bytes: 16_384, datagrams: 16 });
    flight.append([Buffer.alloc(PAYLOAD_MAX, 1), Buffer.alloc(10, 2)]);
    const first = flight.cut();
    expect(first).to.deep.equal({ sequence: 1, payload: Buffer.alloc(PAYLOAD_MAX, 1), remaining: 10 });
    flight.cut();
    flight.append([Buffer.alloc(5, 3)]);
    expect(flight.datagram(1)).to.deep.equal({ ...first, remaining: 15 });
    expect(flight.datagram(2)).to.deep.equal({ sequence: 2, payload: Buffer.alloc(10, 2), remaining: 5 });
  });

  it('says that nothing remains behind the last datagram of a flight, and that more does where bounds stop it', () => {
    const whole = new Flight({ bytes: 16_384, datagrams: 16 });
    whole.append([Buffer.alloc(3000)]);
    expect([whole.cut(), whole.cut(), whole.cut(), whole.cut()].map((next) => next?.remaining)).to.deep.equal([
      3000 - PAYLOAD_MAX,
      3000 - 2 * PAYLOAD_MAX,
      0,
      undefined,
    ]);

    const stopped = new Flight({ bytes: 2000, datagrams: 16 });
    stopped.append([Buffer.alloc(3000)]);
    expect([stopped.cut(), stopped.cut(), stopped.cut()].map((next) => next?.remaining)).to.deep.equal([
      3000 - PAYLOAD_MAX,
      1000,
      undefined,
    ]);
    expect(stopped.nextLength).to.equal(0);

    const counted = new Flight({ bytes: 16_384, datagrams: 1 });
    counted.append([Buffer.alloc(3000)]);
    expect([counted.cut(), counted.cut()].map((next) => next?.remaining)).to.deep.equal([
      3000 - PAYLOAD_MAX,
      undefined,
    ]);
    expect(counted.nextLength).to.equal(0);
  });

  it('has nothing to cut where nothing was written', () => {
    const flight = new Flight({ bytes: 16_384, datagrams: 16 });
    flight.append([Buffer.alloc(0)]);
    expect(flight.cut()).to.equal(undefined);
    expect(flight.nextLength).to.equal(0);
    expect(flight.after(0)).to.have.length(0);
  });
});
