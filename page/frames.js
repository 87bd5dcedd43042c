/**
 * @typedef {object} Frame
 * @property {string} command
 * @property {Map<string, string>} headers
 * @property {string} body
 */

const ESCAPES = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  [':', '\\c'],
]);
const MEANINGS = new Map([...ESCAPES].map(([plain, escaped]) => [escaped, plain]));

/**
 * Encodes one STOMP 1.2 frame as text.
 * @param {string} command
 * @param {Record<string, string>} headers
 * @param {string} [body]
 */
export function encodeFrame(command, headers, body = '') {
  // STOMP 1.2 does not escape the headers of CONNECT, for compatibility with version 1.0.
  const written = command === 'CONNECT' ? (/** @type {string} */ text) => text : escapeHeader;
  const lines = Object.entries(headers).map(([name, value]) => `${written(name)}:${written(value)}\n`);
  return `${command}\n${lines.join('')}\n${body}\0`;
}

/**
 * Decodes the frames in one WebSocket message and skips heart-beats between them. Bodies here are
 * JSON, which contains no NUL.
 * @param {string} text
 * @returns {Frame[]}
 */
export function decodeFrames(text) {
  return text
    .split('\0')
    .map((part) => part.replace(/^[\r\n]+/, ''))
    .filter((part) => part !== '')
    .map(decodeFrame);
}

/** @param {string} text @returns {Frame} */
function decodeFrame(text) {
  const end = text.search(/\r?\n\r?\n/);
  const head = end < 0 ? text : text.slice(0, end);
  const body = end < 0 ? '' : text.slice(end).replace(/^\r?\n\r?\n/, '');
  const [command = '', ...lines] = head.split(/\r?\n/);
  /** @type {Map<string, string>} */
  const headers = new Map();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = unescapeHeader(line.slice(0, colon));
    // STOMP: of repeated headers, the first one counts.
    if (colon > 0 && !headers.has(name)) headers.set(name, unescapeHeader(line.slice(colon + 1)));
  }
  return { command, headers, body };
}

/** @param {string} text */
function escapeHeader(text) {
  return text.replace(/[\\\n\r:]/g, (character) => ESCAPES.get(character) ?? character);
}

/** @param {string} text */
function unescapeHeader(text) {
  return text.replace(/\\[\\nrc]/g, (pair) => MEANINGS.get(pair) ?? pair);
}
