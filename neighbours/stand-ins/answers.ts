import type { Response } from 'express';

/** The refusals of these services, with their codes. All have the HTTP status 400. */
export const REFUSALS = {
  badInput: [2100, 'The input is not valid.'],
  noToken: [2101, 'The token is missing.'],
  notPermitted: [1401, 'You may not read this channel.'],
  unknown: [4004, 'The requested object does not exist.'],
} as const satisfies Record<string, readonly [number, string]>;

export function refuse(res: Response, refusal: keyof typeof REFUSALS): void {
  const [code, message] = REFUSALS[refusal];
  res.status(400).json({ isSuccess: false, code, message });
}

/** Answers in the wrapped form. `result` is left out when there is no data. */
export function succeed(res: Response, result?: unknown): void {
  const wrapped = { isSuccess: true, code: 1000, message: '요청에 성공하였습니다.' };
  res.json(result === undefined ? wrapped : { ...wrapped, result });
}

/** The id in a path or header, such as `12`; null when the text is not an id. */
export function idFrom(text: string | string[] | undefined): number | null {
  return typeof text === 'string' && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}
