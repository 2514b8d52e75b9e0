import { redisCases } from '../../../src/compare/cases/redis.js';
import { passthrough, startGateway } from '../../gateway/gateway-rig.js';
import { requirePart, startRedis } from '../../servers/index.js';
import { makeCertificate } from '../../support/certificates.js';
import { describeClientCases, PASSWORD } from './client-suite.js';

const NAME = 'redis.test';

describeClientCases(
  'compare: Redis cases',
  redisCases,
  {
    ioredis: { phases: ['secure', 'ready'], by: 'itself' },
    'ioredis-noready': { phases: ['secure', 'ready'], by: 'itself' },
    'ioredis-turbo': { phases: ['secure', 'ready'], by: 'turbo', tellsCarrier: false },
    'redis-client': { phases: ['secure', 'ready'], by: 'itself' },
    'redis-cli': { phases: [], by: 'itself', verifiesName: false },
    'redis-cli-proxy': { phases: [], by: 'proxy', verifiesName: false },
    'redisclient-tls': { phases: ['tcp', 'secure', 'ready'], by: 'itself' },
    'redisclient-turbo': { phases: ['tcp', 'secure', 'ready'], by: 'turbo' },
    'redisclient-turbo-known': { phases: ['tcp', 'secure', 'ready'], by: 'turbo' },
  },
  async (context) => {
    requirePart(context, 'redis-server');
    requirePart(context, 'redis-cli');
    const { key, cert, ca } = await makeCertificate({ names: [NAME] });
    const server = await startRedis({ password: PASSWORD, tls: { key, cert } });
    const address = { host: server.host, port: server.tlsPort };
    const gateway = await startGateway([passthrough('redis', [address])]);
    return {
      gateway,
      target: {
        group: 'redis',
        address,
        turboAddress: { host: gateway.host, port: gateway.port },
        serverName: NAME,
        ca,
        password: PASSWORD,
      },
      stop: () => server.stop(),
    };
  },
);
