const BYTE_ORDER_MARK = 0xfeff;
/** An escape of half a surrogate pair. The other half may be missing. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/**
 * Parses a JSON text that comes from outside. A byte order mark at its beginning is skipped. All
 * strings and keys of the result are well-formed Unicode: a lone surrogate becomes U+FFFD.
 *
 * This is the one place where texts from outside are repaired. So live frames, replays and the
 * history show the same, whatever each store and bus would do with a lone surrogate.
 * @throws SyntaxError
 */
export function parseJsonText(text: string): unknown {
  const json = text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
  // A text that was decoded from UTF-8 is well-formed. Only an escape can bring a lone surrogate.
  if (!SURROGATE_ESCAPE.test(json)) return JSON.parse(json);
  return JSON.parse(json, (_key, value: unknown) => wellFormed(value));
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (entries.every(([key]) => key.isWellFormed())) return value;
  return Object.fromEntries(entries.map(([key, each]) => [key.toWellFormed(), each]));
}
