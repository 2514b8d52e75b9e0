import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type KeyError, KeyHealth } from '../../src/keys/index.js';

const failure = (library: string, reason: string) => Object.assign(new Error('x'), { library, reason });

describe('the health of keys', () => {
  it('tells failures of a token from those of TLS', async () => {
    const health = new KeyHealth();
    for (const error of [undefined, null, 'x', new Error('x'), failure('SSL routines', 'wrong version number')]) {
      expect(health.report(error)).to.equal(false);
    }
    expect(health.report(failure('PKCS#11 module', 'Mechanism invalid'))).to.equal(true);
    await sleep(50);
    expect(health.error, 'such a failure is of one signature').to.equal(undefined);
  });

  it('is lost for good when the token says that it is gone, and says so once', async () => {
    const health = new KeyHealth();
    const heard: KeyError[] = [];
    health.lost$.subscribe((error) => heard.push(error));
    const error = failure('PKCS#11 module', 'Device error');
    expect(health.report(error)).to.equal(true);
    expect(health.report(error)).to.equal(true);
    await sleep(50);
    health.lose('again');
    expect(heard).to.have.length(1);
    expect(heard[0]).to.include({ code: 'ERR_KEY_LOST', cause: error }).and.equal(health.error);
    expect(heard[0]?.message).to.include('Device error');
    const late: KeyError[] = [];
    health.lost$.subscribe((each) => late.push(each));
    expect(late).to.deep.equal(heard);
  });

  it('has the reason of who knows better', async () => {
    const health = new KeyHealth();
    health.report(failure('PKCS#11 module', 'Device error'));
    health.lose('it gave no answer for 1000 ms');
    await sleep(50);
    expect(health.error?.message).to.include('no answer');
  });
});
