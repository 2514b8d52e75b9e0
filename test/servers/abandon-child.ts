/** Starts servers, says which, and leaves them running. */
import { dirname } from 'node:path';
import { startPostgres, startRedis } from './index.js';

const [redis, postgres] = await Promise.all([startRedis(), startPostgres({ version: 15 })]);
const folders = [dirname(redis.socketPath), postgres.socketDir];
console.log(JSON.stringify({ pids: [redis.pid, postgres.pid], folders }));
