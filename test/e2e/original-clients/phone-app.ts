import { WebSocket } from 'ws';
import { type Body, decoded, formOf, type Part, Screen, type Shown, shownOf, withFrame } from './screen.ts';
import { imageOf, nameOf, type Stage } from './stage.ts';

/** Types of frames that the app decodes. */
const DECODED = ['message', 'reply', 'modify', 'delete', 'typing', 'direct', 'community'];
const IGNORED = ['connect', 'disconnect', 'out', 'in'];
/** Values of `fileType` in the history. The app stops decoding at another one. */
const FILE_TYPES = ['reply', 'image', 'video', 'file'];
const PAGE = 20;

/**
 * The original phone app. It reads frames by the rules of that app; a frame on which the app would
 * crash is a failure.
 */
export class PhoneApp {
  readonly failures: unknown[] = [];
  /** The headers of CONNECTED. */
  connected: Readonly<Record<string, string>> = {};
  readonly #stage: Stage;
  readonly #userId: number;
  readonly #socket: WebSocket;
  readonly #screens = new Map<string, Screen>();
  readonly #connected = Promise.withResolvers<void>();
  #isLeaving = false;

  static async open(stage: Stage, userId: number): Promise<PhoneApp> {
    const phone = new PhoneApp(stage, userId);
    await phone.#connected.promise;
    return phone;
  }

  private constructor(stage: Stage, userId: number) {
    this.#stage = stage;
    this.#userId = userId;
    const { host } = new URL(stage.urlFor(userId));
    // The library sets the origin to the server's host and cannot leave it out.
    this.#socket = new WebSocket(`ws://${host}/my-chat/websocket`, { headers: { origin: `https://${host}` } });
    this.#socket.on('open', () => {
      const headers = { 'accept-version': '1.1,1.2', 'access-token': stage.token(userId), 'user-id': `${userId}` };
      this.#frame('CONNECT', headers);
    });
    this.#socket.on('message', (data) => this.#heard(String(data)));
    this.#socket.on('error', (error) => this.#connected.reject(error));
    this.#socket.on('close', (code) => {
      if (!this.#isLeaving) this.#failed(new Error(`closed with ${code}`));
    });
  }

  /**
   * Shows a room, channel or community. The id of the SUBSCRIBE is the destination itself, and the
   * app never unsubscribes. Resolves when the subscription is live, as a frame behind it shows.
   */
  async show(destination: string): Promise<Screen> {
    const screen = this.#screens.get(destination) ?? new Screen(destination);
    this.#screens.set(destination, screen);
    this.#frame('SUBSCRIBE', { id: destination, destination });
    const [, kind, place] = /^\/topic\/(\w+)\/(\d+)$/.exec(destination) ?? [];
    if (kind === 'community') return screen;
    const before = screen.typists.length;
    this.type(kind === 'direct' ? 'direct' : 'channel', String(place));
    await screen.until(({ typists }) => typists.length > before);
    return screen;
  }

  send(command: string, body: Body): void {
    const json = JSON.stringify(body);
    const headers = {
      destination: `/kafka/${command}`,
      'content-type': 'application/json;charset=UTF-8',
      'content-length': String(Buffer.byteLength(json)),
    };
    this.#frame('SEND', headers, json);
  }

  /** A typing notice. @param channelId `Optional(5)`, as the app writes it, or `5` */
  type(kind: 'direct' | 'channel', channelId: string): void {
    this.send(`send-${kind}-typing`, { content: nameOf(this.#userId), channelId, type: 'typing' });
  }

  /** The fields of every message of the app. */
  author(more: Body): Body {
    return { userId: this.#userId, name: nameOf(this.#userId), profileImage: imageOf(this.#userId), ...more };
  }

  /** One page of the history. The original app gave no token; its update gives one. */
  async history(kind: 'direct' | 'community', id: number, page: number, withToken = true) {
    const headers = withToken ? { authorization: this.#stage.token(this.#userId) } : undefined;
    const url = `${this.#stage.urlFor(this.#userId)}/chat-server/${kind}?ch_id=${id}&page=${page}&size=${PAGE}`;
    const { code, result } = await decoded(await fetch(url, headers && { headers }));
    return { code, entries: ((result ?? []) as Body[]).map(entryOf) };
  }

  /** Uploads a file: always to the path of channels, the file before the fields. */
  async upload(file: Part, fields: Body) {
    const rest = Object.entries(fields).map(([name, value]): Part => [name, String(value)]);
    const { headers, body } = formOf([file, ...rest]);
    const all = { ...headers, authorization: this.#stage.token(this.#userId) };
    const url = `${this.#stage.urlFor(this.#userId)}/chat-server/channel/file`;
    return decoded(await fetch(url, { method: 'POST', headers: all, body }));
  }

  /** The app goes away without DISCONNECT. */
  close(): void {
    this.#isLeaving = true;
    this.#socket.close();
  }

  #frame(command: string, headers: Readonly<Record<string, string>>, body = ''): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    this.#socket.send(`${command}\n${lines.join('')}\n${body}\0`);
  }

  #failed(error: unknown): void {
    this.failures.push(error);
    this.#connected.reject(error);
    for (const screen of this.#screens.values()) screen.changed();
  }

  #heard(text: string): void {
    try {
      // A line end alone is a heart-beat, which the app answers.
      if (text === '\n') this.#socket.send('\n');
      else this.#read(text);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The app expects one whole frame in each message of the WebSocket. */
  #read(text: string): void {
    const [, command = '', head = '', body = ''] = /^([A-Z]+)\n([^\0]*?)\n\n([^\0]*)\0\n?$/.exec(text) ?? [];
    const headers = Object.fromEntries(head.split('\n').map((line) => line.split(/:(.*)/, 2) as [string, string]));
    if (command === 'CONNECTED') {
      this.connected = headers;
      this.#connected.resolve();
    } else if (command === 'MESSAGE') {
      if (headers.subscription !== headers.destination) throw new Error(`another subscription: ${text}`);
      const screen = this.#screens.get(headers.destination ?? '');
      if (screen === undefined) throw new Error(`a frame without a subscription: ${text}`);
      readFrame(screen, JSON.parse(body));
      screen.changed();
    } else throw new Error(`not a frame that the app knows: ${JSON.stringify(text)}`);
  }
}

function readFrame(screen: Screen, body: Body): void {
  screen.bodies.push(body);
  const type = String(body.type);
  if (type === 'typing') screen.typists = [...screen.typists, String(body.name)];
  else if (DECODED.includes(type)) screen.messages = withFrame(screen.messages, body);
  else if (body.type === undefined && screen.destination.startsWith('/topic/community/')) {
    screen.voice = body as Record<string, readonly string[]>;
  } else if (!IGNORED.includes(type)) throw new Error(`the app crashes: ${JSON.stringify(body)}`);
}

/** @throws Error for an entry at which the app stops decoding */
function entryOf(body: Body): Shown {
  if (body.fileType !== null && !FILE_TYPES.includes(String(body.fileType))) {
    throw new Error(`fileType is ${body.fileType}`);
  }
  if (body.type !== null) throw new Error(`type is ${body.type}`);
  return shownOf(body);
}
