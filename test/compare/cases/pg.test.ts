import { expect } from 'chai';
import { postgresCases } from '../../../src/compare/cases/pg.js';
import { prepareProgram } from '../../../src/compare/cases/program.js';
import { passthrough, startGateway } from '../../gateway/gateway-rig.js';
import { requirePart, startPostgres } from '../../servers/index.js';
import { makeCertificate } from '../../support/certificates.js';
import { describeClientCases, PASSWORD } from './client-suite.js';

const NAME = 'pg.test';

describeClientCases(
  'compare: PostgreSQL cases',
  postgresCases,
  {
    pg: { phases: ['tcp', 'secure', 'ready'], by: 'itself' },
    'pg-direct': { phases: ['tcp', 'secure', 'ready'], by: 'itself' },
    'pg-turbo': { phases: ['tcp', 'secure', 'ready'], by: 'turbo' },
    'postgres.js': { phases: ['tcp', 'secure'], by: 'itself' },
    'postgres.js-direct': { phases: ['tcp', 'secure'], by: 'itself' },
    psql: { phases: [], by: 'itself' },
    'psql-proxy': { phases: [], by: 'proxy' },
    'pgclient-tls': { phases: ['tcp', 'secure', 'ready'], by: 'itself' },
    'pgclient-turbo': { phases: ['tcp', 'secure', 'ready'], by: 'turbo' },
    'pgclient-turbo-known': { phases: ['tcp', 'secure', 'ready'], by: 'turbo' },
  },
  async (context) => {
    requirePart(context, 'postgresql-18');
    requirePart(context, 'postgresql-15'); // which brings psql
    const { key, cert, ca } = await makeCertificate({ names: [NAME] });
    const server = await startPostgres({
      version: 18,
      tls: { key, cert },
      users: [{ name: 'alice', password: PASSWORD }],
    });
    const gateway = await startGateway([passthrough('pg', [server], { backend: { transport: 'postgres' } })]);
    return {
      gateway,
      target: {
        group: 'postgres',
        address: { host: server.host, port: server.port },
        turboAddress: { host: gateway.host, port: gateway.port },
        serverName: NAME,
        ca,
        user: 'alice',
        password: PASSWORD,
        database: 'postgres',
      },
      stop: () => server.stop(),
    };
  },
);

describe('compare: a program that is not installed', () => {
  it('is missing, by name', async () => {
    const way = { name: 'no-such-program', throughProxy: false, tell: () => ({ args: [], env: {} }) };
    const target = { group: 'echo', address: { host: '127.0.0.1', port: 1 }, serverName: NAME } as const;
    expect(await prepareProgram(way, target, new AbortController().signal)).to.deep.equal({
      missing: 'the program no-such-program is not installed',
    });
  });
});
