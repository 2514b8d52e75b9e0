import { expect } from 'chai';
import { defaultWorkersLimits } from '../../src/workers/limits.js';
import { SessionRoutes } from '../../src/workers/session-routes.js';
import { ManualClock } from '../support/manual-clock.js';

describe('which worker has a session', () => {
  const limits = { ...defaultWorkersLimits, openingSessions: 4, answeredSessions: 4, sessionAgeMs: 1000 };
  const make = () => {
    const clock = new ManualClock();
    return { clock, owner: { sessions: 0 }, routes: new SessionRoutes(limits, clock) };
  };

  it('is remembered, and counted until its tombstone comes', () => {
    const { owner, routes } = make();
    routes.assign('a', owner);
    expect(owner.sessions).to.equal(1);
    routes.answered('a');
    expect(owner.sessions).to.equal(1);
    routes.claimed('a');
    routes.claimed('a');
    expect(owner.sessions).to.equal(0);
    expect(routes.find('a')).to.equal(owner);
  });

  it('is forgotten in time', () => {
    const { clock, owner, routes } = make();
    routes.assign('a', owner);
    routes.assign('b', owner);
    routes.answered('b');
    clock.advance(999);
    expect(routes.size).to.equal(2);
    clock.advance(3000);
    expect(routes.size).to.equal(0);
    expect(owner.sessions).to.equal(0);
  });

  it('is not pushed out, once answered, by any number that were not', () => {
    const { owner, routes } = make();
    routes.assign('honest', owner);
    routes.answered('honest');
    for (let i = 0; i < 100; i++) routes.assign(`flood ${i}`, owner);
    expect(routes.find('honest')).to.equal(owner);
    expect(routes.size).to.equal(5);
    expect(owner.sessions).to.equal(5);
  });

  it('is one, whether answered or not, wherever it is kept', () => {
    const { clock, owner, routes } = make();
    routes.assign('a', owner);
    routes.answered('a');
    routes.answered('a');
    expect(routes.size).to.equal(1);
    // It is pushed out of what is answered, and out of what opens.
    for (let i = 0; i < 10; i++) {
      routes.assign(`other ${i}`, owner);
      routes.answered(`other ${i}`);
    }
    expect(routes.size).to.equal(4);
    expect(owner.sessions).to.equal(4);
    clock.advance(4000);
    expect([routes.size, owner.sessions]).to.deep.equal([0, 0]);
  });

  it('may become another', () => {
    const { owner, routes } = make();
    const other = { sessions: 0 };
    routes.assign('a', owner);
    routes.answered('a');
    routes.assign('a', other);
    expect(routes.find('a')).to.equal(other);
    expect([owner.sessions, other.sessions]).to.deep.equal([0, 1]);
  });

  it('is forgotten when all is', () => {
    const { owner, routes } = make();
    routes.assign('a', owner);
    routes.clear();
    expect(routes.size).to.equal(0);
    expect(owner.sessions).to.equal(0);
  });
});
