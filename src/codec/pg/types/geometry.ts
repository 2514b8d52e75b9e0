/** point and circle ("Geometric Types"); the other geometric types stay text. */
import { malformed } from './malformed.js';

export interface Point {
  x: number;
  y: number;
}

export interface Circle extends Point {
  radius: number;
}

const POINT = /^\(([^,()]+),([^,()]+)\)$/;
const CIRCLE = /^<\(([^,()]+),([^,()]+)\),([^,()]+)>$/;

/** `(1,2)`. @throws PgError ERR_PG_BAD_TEXT */
export function parsePoint(text: string): Point {
  const match = POINT.exec(text);
  if (!match) throw malformed('point');
  return { x: Number(match[1]), y: Number(match[2]) };
}

/** `<(1,2),3>`. @throws PgError ERR_PG_BAD_TEXT */
export function parseCircle(text: string): Circle {
  const match = CIRCLE.exec(text);
  if (!match) throw malformed('circle');
  return { x: Number(match[1]), y: Number(match[2]), radius: Number(match[3]) };
}
