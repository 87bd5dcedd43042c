import type { Response } from 'express';

/** The codes with which these services refuse, all with HTTP status 400. */
export const REFUSALS = {
  badInput: [2100, 'The input makes no sense.'],
  noToken: [2101, 'The token is missing.'],
  notPermitted: [1401, 'This channel is not open to you.'],
  unknown: [4004, 'There is no such thing.'],
} as const satisfies Record<string, readonly [number, string]>;

export function refuse(res: Response, refusal: keyof typeof REFUSALS): void {
  const [code, message] = REFUSALS[refusal];
  res.status(400).json({ isSuccess: false, code, message });
}

/** The wrapped form; `result` only where there is data. */
export function succeed(res: Response, result?: unknown): void {
  const wrapped = { isSuccess: true, code: 1000, message: '요청에 성공하였습니다.' };
  res.json(result === undefined ? wrapped : { ...wrapped, result });
}

/** `12` of a path or a header as a number; null for what is no id. */
export function idFrom(text: string | string[] | undefined): number | null {
  return typeof text === 'string' && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}
