import { Refusal } from '../../domain/errors.ts';
import type { StompVersion } from './version.ts';

const SPECIAL = /[\\\n\r:]/;
const EVERY_SPECIAL = /[\\\n\r:]/g;
const LINE_ENDS = /[\r\n]+/g;

/**
 * Escapes a header name or value as the version defines it. STOMP 1.0 has no escapes, 1.1 has none
 * for CR. A line end that the version cannot write becomes a space. Otherwise a value could begin a
 * header of its own.
 */
export function escapeHeader(text: string, version: StompVersion): string {
  if (!SPECIAL.test(text)) return text;
  if (version === '1.0') return text.replace(LINE_ENDS, ' ');
  return text.replace(EVERY_SPECIAL, (character) => {
    switch (character) {
      case '\\':
        return '\\\\';
      case '\n':
        return '\\n';
      case ':':
        return '\\c';
      default:
        return version === '1.2' ? '\\r' : ' ';
    }
  });
}

/**
 * Undoes {@link escapeHeader}.
 * @throws Refusal `bad-input` for an escape that the version does not define
 */
export function unescapeHeader(text: string, version: StompVersion): string {
  if (version === '1.0' || !text.includes('\\')) return text;
  let result = '';
  let from = 0;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', from)) {
    result += text.slice(from, at) + unescaped(text[at + 1], version);
    from = at + 2;
  }
  return result + text.slice(from);
}

function unescaped(letter: string | undefined, version: StompVersion): string {
  if (letter === '\\') return '\\';
  if (letter === 'n') return '\n';
  if (letter === 'c') return ':';
  if (letter === 'r' && version === '1.2') return '\r';
  throw new Refusal('bad-input', `a header contains an escape that STOMP ${version} does not define`);
}
