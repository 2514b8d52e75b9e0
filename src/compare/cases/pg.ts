/** PostgreSQL, from the first call to the first row of a query. */
import type { Case, PostgresTarget } from '../case.js';
import { clientCases } from './pg-client.js';
import { driverCases } from './pg-drivers.js';
import { psqlCases } from './pg-psql.js';

export const postgresCases: Case<PostgresTarget>[] = [...driverCases, ...psqlCases, ...clientCases];
