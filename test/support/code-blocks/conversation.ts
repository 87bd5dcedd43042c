import { once } from 'node:events';
import { expect } from 'vitest';
import { WebSocket } from 'ws';

interface Frame {
  readonly command: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const FROM_CLIENT = ['CONNECT', 'SUBSCRIBE', 'UNSUBSCRIBE', 'SEND', 'DISCONNECT'];
const MESSAGE_ID = /\b[0-9a-f]{24}\b/g;
const ANSWER_MS = 10_000;

/**
 * Plays the frames of a page against a server: sends those of the client, and expects those of the
 * server. Ids of messages in the page stand for those that the server gives.
 */
export class Conversation {
  readonly #server: string;
  readonly #connections = new Map<string, Connection>();
  /** From an id in the page to that of the server. */
  readonly #ids = new Map<string, string>();

  constructor(server: string) {
    this.#server = server;
  }

  /** Plays the frames of one block, as they are in the page, on the connection of a user. */
  async play(user: string, token: string, code: string): Promise<void> {
    const connection = this.#connections.get(user) ?? (await Connection.open(this.#server));
    if (user !== '' && !this.#connections.has(user)) await this.#connectOther(connection, token);
    this.#connections.set(user, connection);
    for (const text of framesOf(code)) {
      const frame = parse(text);
      if (FROM_CLIENT.includes(frame.command)) connection.send(this.#withIds(withToken(text, token)));
      else this.#compare(frame, await connection.answerTo(frame));
    }
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }

  /** Only the first connection is shown with its CONNECT. */
  async #connectOther(connection: Connection, token: string): Promise<void> {
    connection.send(`CONNECT\naccept-version:1.2\nhost:chat\naccess-token:${token}\n\n`);
    await connection.answerTo({ command: 'CONNECTED', headers: new Map(), body: '' });
  }

  #withIds(text: string): string {
    return text.replace(MESSAGE_ID, (id) => this.#ids.get(id) ?? id);
  }

  #compare(shown: Frame, actual: Frame): void {
    const ids = (text: string) => text.match(MESSAGE_ID) ?? [];
    const all = (frame: Frame) => [...ids([...frame.headers.values()].join(' ')), ...ids(frame.body)];
    all(shown).forEach((id, index) => {
      this.#ids.set(id, all(actual)[index] ?? id);
    });
    expect([...actual.headers.keys()].sort()).toEqual([...shown.headers.keys()].sort());
    for (const [name, value] of shown.headers) {
      if (name === 'content-length') expect(Number(value)).toBe(Buffer.byteLength(shown.body));
      else if (name !== 'message-id' || /^r-5-\d+$/.test(value)) {
        expect(`${name}:${actual.headers.get(name)}`).toBe(`${name}:${this.#withIds(value)}`);
      }
    }
    expect(timeless(actual.body)).toEqual(timeless(this.#withIds(shown.body)));
  }
}

/** Checks frames that are shown without a conversation: their form and their lengths. */
export function checkExample(code: string): void {
  for (const text of framesOf(code)) {
    const { command, headers, body } = parse(text);
    expect([...FROM_CLIENT, 'MESSAGE', 'RECEIPT', 'ERROR', 'CONNECTED']).toContain(command);
    expect(body === '' || typeof JSON.parse(body)).not.toBe('string');
    const length = headers.get('content-length');
    if (length !== undefined) expect(Number(length)).toBe(Buffer.byteLength(body));
  }
}

/** A raw connection that keeps the frames that nobody has asked for yet. */
class Connection {
  readonly #socket: WebSocket;
  readonly #frames: Frame[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const text = data.toString();
      if (text.trim() !== '') this.#frames.push(parse(text.replace(/\0\n*$/, '')));
    });
  }

  static async open(server: string): Promise<Connection> {
    const socket = new WebSocket(`${server.replace('http', 'ws')}/my-chat/websocket`, ['v12.stomp']);
    await once(socket, 'open');
    return new Connection(socket);
  }

  send(text: string): void {
    this.#socket.send(`${text}\0`);
  }

  close(): void {
    this.#socket.terminate();
  }

  /** The first frame that could be the shown one: the same command, subscription and receipt. */
  async answerTo(shown: Frame): Promise<Frame> {
    const isAnswer = ({ command, headers }: Frame) =>
      command === shown.command &&
      ['subscription', 'receipt-id', 'seq'].every(
        (name) => !shown.headers.has(name) || headers.get(name) === shown.headers.get(name),
      );
    const deadline = AbortSignal.timeout(ANSWER_MS);
    for (;;) {
      const index = this.#frames.findIndex(isAnswer);
      const [frame] = index === -1 ? [] : this.#frames.splice(index, 1);
      if (frame !== undefined) return frame;
      await once(this.#socket, 'message', { signal: deadline }).catch(() => {
        const waiting = this.#frames.map(({ command, headers, body }) =>
          [command, ...headers.entries(), body].join(' '),
        );
        throw new Error(`no ${shown.command} came as the page shows; there are: ${waiting.join(' | ')}`);
      });
    }
  }
}

function framesOf(code: string): string[] {
  return code
    .split('^@')
    .map((text) => text.replace(/^\n+/, ''))
    .filter((text) => text.trim() !== '');
}

function parse(text: string): Frame {
  const [head = '', ...rest] = text.split('\n\n');
  const [command = '', ...lines] = head.split('\n');
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const);
  return { command, headers: new Map(headers), body: rest.join('\n\n').trim() };
}

function withToken(text: string, token: string): string {
  return text.replace(/^(access-token:).*$/m, `$1${token}`);
}

/** The body as data, without times: each run has others. */
function timeless(body: string): unknown {
  if (body === '') return '';
  return JSON.parse(body, (name, value) => (name === 'time' ? 'a time' : value));
}
