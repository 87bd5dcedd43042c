/** A STOMP frame as the inspector shows it. */
export interface ShownFrame {
  readonly command: string;
  readonly headers: ReadonlyMap<string, string>;
  /** The fields of a body in JSON; empty for any other body. */
  readonly body: Readonly<Record<string, unknown>>;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\r': '\r', '\\c': ':', '\\\\': '\\' };

/**
 * Reads the frames of one text of the wire. Heart-beats are left out. A frame that was cut off
 * keeps its headers. This reader is for showing only: it takes no binary bodies.
 */
export function framesOf(text: string): ShownFrame[] {
  return text
    .split('\0')
    .map((frame) => frame.replace(/^[\r\n]+/, ''))
    .filter((frame) => frame !== '')
    .map(frameOf);
}

function frameOf(text: string): ShownFrame {
  const end = text.indexOf('\n\n');
  const [command = '', ...lines] = (end === -1 ? text : text.slice(0, end)).split('\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = unescaped(line.slice(0, colon));
    // Of a header that is there twice, the first one counts.
    if (colon > 0 && !headers.has(name)) headers.set(name, unescaped(line.slice(colon + 1)));
  }
  return { command, headers, body: end === -1 ? {} : bodyOf(text.slice(end + 2)) };
}

function unescaped(text: string): string {
  return text.replace(/\\[nrc\\]/g, (escaped) => ESCAPES[escaped] ?? escaped);
}

function bodyOf(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
