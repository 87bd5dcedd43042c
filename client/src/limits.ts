import type { Command } from './command.ts';

/** Limits of the server. A command over one of them fails at once, without being sent. */
export interface Limits {
  /** Characters of a message, as Unicode code points. Default: 8,000. */
  readonly contentChars: number;
  /** Bytes of a file. Default: 25 MiB. */
  readonly uploadBytes: number;
}

const BAD_INPUT = 2100;
const TOO_LARGE = 2413;

/** Returns the reason why no server would accept the command, or null. */
export function reasonAgainst({ kind, text, file }: Command, limits: Partial<Limits>): Command['failure'] {
  const { contentChars = 8_000, uploadBytes = 26_214_400 } = limits;
  if (file !== null) return tooLarge('the file', file.data.size, 'bytes', uploadBytes);
  if (kind !== 'delete' && text.trim() === '') return { code: BAD_INPUT, message: 'content is blank' };
  return tooLarge('content', [...text].length, 'characters', contentChars);
}

function tooLarge(what: string, size: number, unit: string, limit: number): Command['failure'] {
  if (size <= limit) return null;
  const [is, most] = [size, limit].map((each) => each.toLocaleString('en'));
  return { code: TOO_LARGE, message: `${what} has ${is} ${unit}; the limit is ${most}` };
}
