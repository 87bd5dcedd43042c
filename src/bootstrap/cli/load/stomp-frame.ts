/**
 * A STOMP frame as a client reads it: header names and values unescaped, the first of a repeated
 * header.
 */
export interface StompFrame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\r': '\r', '\\c': ':', '\\\\': '\\' };
const ESCAPED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', ':': '\\c', '\\': '\\\\' };

/** Text of a frame for the wire. A body that is not a text is written as JSON. */
export function frameText(
  command: string,
  headers: Readonly<Record<string, string | number>>,
  body: unknown = '',
): string {
  // The headers of CONNECT and CONNECTED are never escaped, because STOMP 1.0 has no escapes.
  const plain = command === 'CONNECT' || command === 'CONNECTED';
  const spell = (text: string | number) => (plain ? String(text) : escaped(String(text)));
  const lines = Object.entries(headers).map(([name, value]) => `${spell(name)}:${spell(value)}\n`);
  return `${command}\n${lines.join('')}\n${typeof body === 'string' ? body : JSON.stringify(body)}\0`;
}

/**
 * Cuts the received text into frames and leaves out the heart-beats between them. No body of the
 * server contains a NUL, because all bodies are JSON.
 */
export class FrameReader {
  #rest = '';

  push(text: string): StompFrame[] {
    const parts = (this.#rest + text).split('\0');
    this.#rest = parts.pop() ?? '';
    return parts.map((part) => parseFrame(part.replace(/^[\r\n]+/, '')));
  }
}

function parseFrame(text: string): StompFrame {
  const end = /\r?\n\r?\n/.exec(text);
  const head = end === null ? text : text.slice(0, end.index);
  const body = end === null ? '' : text.slice(end.index + end[0].length);
  const [command = '', ...lines] = head.split(/\r?\n/);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = unescaped(line.slice(0, colon));
    headers[name] ??= unescaped(line.slice(colon + 1));
  }
  return { command, headers, body };
}

function escaped(text: string): string {
  return text.replace(/[\n\r:\\]/g, (letter) => ESCAPED[letter] ?? letter);
}

function unescaped(text: string): string {
  return text.replace(/\\[nrc\\]/g, (pair) => ESCAPES[pair] ?? pair);
}
