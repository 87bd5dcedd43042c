import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../domain/errors.ts';
import { parseJsonText } from '../support/json-text.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Parses a JSON body as clients send it: UTF-8, with or without a byte order mark. Its strings are
 * well-formed (see {@link parseJsonText}).
 * @param maxDepth objects and lists within each other; `[[1]]` is 2
 * @throws Refusal `bad-input`
 */
export function parseJson(body: Buffer, maxDepth: number): unknown {
  if (!isUtf8(body)) throw new Refusal('bad-input', 'the body is not valid UTF-8');
  if (isDeeperThan(body, maxDepth)) {
    throw new Refusal('bad-input', `the body has objects or lists nested more than ${maxDepth} deep`);
  }
  try {
    return parseJsonText(body.toString());
  } catch {
    throw new Refusal('bad-input', 'the body is not valid JSON');
  }
}

/** Counts brackets outside of strings, in one pass over the bytes and without recursion. */
export function isDeeperThan(json: Buffer, maxDepth: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) isInString = !isInString;
    else if (isInString) at += byte === BACKSLASH ? 1 : 0;
    // `[` and `{`
    else if (byte === 0x5b || byte === 0x7b) depth += 1;
    // `]` and `}`
    else if (byte === 0x5d || byte === 0x7d) depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}
