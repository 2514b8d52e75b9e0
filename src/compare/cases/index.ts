/** All ways to connect, by group. */
import type { Case } from '../case.js';
import { echoCases } from './echo.js';
import { httpsCases } from './https.js';
import { postgresCases } from './pg.js';
import { redisCases } from './redis.js';

export const allCases: readonly Case[] = [...echoCases, ...postgresCases, ...redisCases, ...httpsCases];
