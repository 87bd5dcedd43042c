import { createRequire } from 'node:module';
import webstomp from 'webstomp-client';
import { type Body, decoded, formOf, type Part, Screen, type Shown, shownOf, withFrame } from './screen.ts';
import { imageOf, nameOf, type Stage, WEB_ORIGIN } from './stage.ts';

type SockJsClient = new (
  url: string,
  protocols?: null,
  options?: { readonly transports: readonly string[] },
) => WebSocket;
// A CommonJS package without types.
const SockJS = createRequire(import.meta.url)('sockjs-client') as SockJsClient;

/** Types of frames that are not messages. The page takes every other type for a message. */
const KNOWN = ['typing', 'delete', 'modify', 'connect', 'disconnect', 'out'];
/** A page of the history with so many entries means that there is an older one. */
const PAGE = 50;

/**
 * A page of the original web client, on the libraries that it uses. It reads frames by the rules of
 * that client; a frame on which the client would break is an error.
 */
export class WebPage {
  /** Errors in the reading of frames, and unexpected ends of the connection. */
  readonly failures: unknown[] = [];
  readonly #stage: Stage;
  readonly #userId: number;
  readonly #client: webstomp.Client;

  /** Opens a page. @param transports of SockJS; default: all, as the client has it */
  static async open(stage: Stage, userId: number, transports?: readonly string[]): Promise<WebPage> {
    const url = `${stage.urlFor(userId)}/my-chat`;
    const info = await fetch(`${url}/info?t=1`, { headers: { origin: WEB_ORIGIN } });
    if (info.headers.get('access-control-allow-origin') !== WEB_ORIGIN) throw new Error('the page may not read info');
    const client = webstomp.over(new SockJS(url, null, transports && { transports }), { debug: false });
    const page = new WebPage(stage, userId, client);
    await new Promise<void>((resolve, reject) => {
      // After an error or a close, the page shows a spinner until the user reloads.
      const failed = (error: unknown): void => {
        page.failures.push(error);
        reject(new Error(JSON.stringify(error)));
      };
      client.connect({ 'access-token': stage.token(userId), 'user-id': String(userId) }, () => resolve(), failed);
    });
    return page;
  }

  private constructor(stage: Stage, userId: number, client: webstomp.Client) {
    this.#stage = stage;
    this.#userId = userId;
    this.#client = client;
  }

  /**
   * Subscribes to a room, channel or community, and resolves when the subscription is live. The
   * client asks for no receipt, so a frame behind the SUBSCRIBE shows it: the voice list of a
   * community, as the client asks for it, or a typing notice.
   */
  async show(destination: string): Promise<{ readonly screen: Screen; readonly id: string }> {
    const screen = new Screen(destination);
    const { id } = this.#client.subscribe(destination, ({ body }) => this.#read(screen, JSON.parse(body)));
    const [, kind, place] = /^\/topic\/(\w+)\/(\d+)$/.exec(destination) ?? [];
    if (kind === 'community') {
      this.send('community-signaling', { type: 'before-enter', user_id: this.#userId, community_id: place });
      await screen.until(({ voice }) => voice !== null);
    } else {
      const command = kind === 'direct' ? 'send-direct-typing' : 'send-channel-typing';
      this.send(command, { channelId: place, content: nameOf(this.#userId), type: 'typing' });
      await screen.until(({ typists }) => typists.includes(nameOf(this.#userId)));
      screen.typists = [];
    }
    return { screen, id };
  }

  /** The page unsubscribes each of its ids, also those that are gone already. */
  hide(id: string): void {
    this.#client.unsubscribe(id);
  }

  send(command: string, body: Body): void {
    this.#client.send(`/kafka/${command}`, JSON.stringify(body));
  }

  /**
   * The fields of every message of the page: ids from the router are texts, the user's is a number.
   */
  author(more: Body): Body {
    return { userId: this.#userId, name: nameOf(this.#userId), profileImage: imageOf(this.#userId), ...more };
  }

  /** Scrolls up through the history to its beginning. Oldest first. */
  async history(kind: 'direct' | 'community', id: number): Promise<readonly Shown[]> {
    const all: Shown[] = [];
    for (let page = 0; ; page += 1) {
      const { result } = await this.#call(`${kind}?ch_id=${id}&page=${page}`);
      const entries = (result as Body[]).map(readable);
      all.unshift(...entries);
      if (entries.length < PAGE) return all;
    }
  }

  /** Uploads a file: `image` and `thumbnail` first, then the fields. */
  async upload(path: string, image: Part, thumbnail: string | Buffer, fields: Body): Promise<unknown> {
    const small: Part =
      typeof thumbnail === 'string'
        ? ['thumbnail', thumbnail]
        : ['thumbnail', thumbnail, { name: 'blob', type: 'image/png' }];
    const rest = Object.entries(fields).map(([name, value]): Part => [name, String(value)]);
    const { headers, body } = formOf([image, small, ...rest]);
    return (await this.#call(path, { method: 'POST', headers, body })).result;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#client.disconnect(resolve));
  }

  async #call(path: string, { headers, ...init }: RequestInit & { headers?: Record<string, string> } = {}) {
    const url = `${this.#stage.urlFor(this.#userId)}/chat-server/${path}`;
    const own = { authorization: this.#stage.token(this.#userId), origin: WEB_ORIGIN };
    const response = await fetch(url, { ...init, headers: { ...headers, ...own } });
    if (response.headers.get('access-control-allow-origin') !== WEB_ORIGIN) throw new Error(`no CORS for ${path}`);
    return decoded(response);
  }

  #read(screen: Screen, body: Body): void {
    screen.bodies.push(body);
    try {
      if (screen.destination.startsWith('/topic/community/')) readCommunity(screen, body);
      else readRoom(screen, body);
    } catch (error) {
      this.failures.push(error);
    }
    screen.changed();
  }
}

function readRoom(screen: Screen, body: Body): void {
  switch (body.type) {
    case 'typing':
      screen.typists = [...screen.typists, String(body.name)];
      return;
    case 'connect':
    case 'disconnect':
      readPresence(screen, body);
      return;
    case 'out':
      return;
    default:
      screen.messages = withFrame(screen.messages, KNOWN.includes(String(body.type)) ? body : { ...readable(body) });
  }
}

function readCommunity(screen: Screen, body: Body): void {
  if (body.type === 'connect' || body.type === 'disconnect') readPresence(screen, body);
  else if (body.type === 'out') {
    const channel = String(body.channelId).replace(/^c-/, '');
    screen.voice = { ...screen.voice, [channel]: body.ids as string[] };
  } else {
    // Everything else replaces the voice list.
    for (const [channel, ids] of Object.entries(body)) {
      if (!/^\d+$/.test(channel) || !Array.isArray(ids)) throw new Error(`no voice list: ${JSON.stringify(body)}`);
    }
    screen.voice = body as Record<string, readonly string[]>;
  }
}

function readPresence(screen: Screen, { type, userId }: Body): void {
  const online = new Set(screen.online);
  if (type === 'connect') online.add(String(userId));
  else online.delete(String(userId));
  screen.online = online;
}

/** @throws Error for an entry that empties the whole page of the history */
function readable(body: Body): Shown {
  const shown = shownOf(body);
  if (body.fileType === 'image' && typeof body.thumbnail !== 'string') {
    throw new Error(`an image without a thumbnail: ${JSON.stringify(body)}`);
  }
  return shown;
}
