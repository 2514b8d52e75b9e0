import { expect } from 'chai';
import { ConfigError } from '../../../src/gateway/config/index.js';
import { GatewayError } from '../../../src/gateway/errors.js';
import {
  decodeToMain,
  decodeToWorker,
  encodeToMain,
  encodeToWorker,
  errorOf,
  failureOf,
} from '../../../src/gateway/workers/control.js';

/** As it is in the main process when a worker has failed with it. */
function told(error: unknown): Error & { code?: unknown } {
  const { failure } = decodeToMain(encodeToMain({ request: 1, failure: failureOf(error) }));
  if (!failure) throw new Error('no failure');
  return errorOf(failure);
}

describe('gateway workers: what they and the main process say', () => {
  it('orders and answers', () => {
    const plan = { text: '{"listen": [":443"]}', workers: 4 };
    expect(decodeToWorker(encodeToWorker({ request: 7, plan }))).to.deep.include({ request: 7 });
    expect(decodeToWorker(encodeToWorker({ request: 7, plan })).plan).to.deep.include(plan);
    expect(decodeToWorker(encodeToWorker({ request: 7, plan })).look).to.equal(null);
    expect(decodeToWorker(encodeToWorker({ request: 8, look: {} })).look).to.be.an('object');
    const report = { metrics: '[]', notReady: ['route a: no target is up'], notListening: [] };
    const answer = decodeToMain(encodeToMain({ request: 8, report }));
    expect(answer).to.deep.include({ request: 8, failure: null, new: false, spent: false });
    expect(answer.report).to.deep.include(report);
    expect(decodeToMain(encodeToMain({ new: true }))).to.include({ request: 0, new: true });
  });

  it('errors: code, message and what caused them', () => {
    const cause = Object.assign(new Error('listen EADDRINUSE: 127.0.0.1:443'), { code: 'EADDRINUSE' });
    const error = told(new GatewayError('ERR_GATEWAY_LISTEN', '127.0.0.1:443', { cause }));
    expect(error.code).to.equal('ERR_GATEWAY_LISTEN');
    expect(error.message).to.equal('An address cannot be listened on: 127.0.0.1:443');
    expect(error.cause).to.include({ code: 'EADDRINUSE', message: 'listen EADDRINUSE: 127.0.0.1:443' });
    expect(told('a text')).to.include({ message: 'a text' });
    expect(told(undefined)).to.include({ message: 'undefined' });
  });

  it('what is wrong with a configuration, with its lines', () => {
    const problems = [
      { path: 'routes[0].name', message: 'is missing', line: 3 },
      { path: '', message: 'is no object' },
    ];
    const error = told(new ConfigError(problems, 'gateway.yaml'));
    expect(error).to.be.instanceOf(ConfigError);
    expect((error as ConfigError).problems).to.deep.equal(problems);
    expect(error.message).to.equal(new ConfigError(problems, 'gateway.yaml').message);
  });
});
