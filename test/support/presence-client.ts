import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** A connection to a presence service. The service answers each line with one line. */
export class PresenceClient {
  readonly socket: Socket;
  readonly #waiting: ((line: string | null) => void)[] = [];
  readonly #lines: string[] = [];
  #rest = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\r\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) (this.#waiting.shift() ?? ((one) => this.#lines.push(one ?? '')))(line);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const wake of this.#waiting.splice(0)) wake(null);
    });
  }

  /** @param ca authority of a service with TLS, as PEM text */
  static async connect(port: number, ca?: string): Promise<PresenceClient> {
    const socket = ca === undefined ? connect(port, '127.0.0.1') : connectTls({ port, host: '127.0.0.1', ca });
    await once(socket, ca === undefined ? 'connect' : 'secureConnect');
    return new PresenceClient(socket);
  }

  /** @param request an object is sent as JSON, a string as it is */
  send(request: object | string): void {
    this.socket.write(`${typeof request === 'string' ? request : JSON.stringify(request)}\r\n`);
  }

  /** Resolves to the next line. Rejects if the connection ends before it. */
  async reply(): Promise<string> {
    const line = this.#lines.shift() ?? (await new Promise<string | null>((resolve) => this.#waiting.push(resolve)));
    if (line === null) throw new Error('the connection ended without a reply');
    return line;
  }

  ask(request: object | string): Promise<string> {
    this.send(request);
    return this.reply();
  }

  login(session: string, user: number): Promise<string> {
    return this.ask({ type: 'login', session_id: session, user_id: user });
  }

  logout(session: string): Promise<string> {
    return this.ask({ type: 'logout', session_id: session });
  }

  state(user: number, place: string | null): Promise<string> {
    return this.ask({ type: 'state', user_id: user, channel_id: place });
  }

  /** Asks which of the users `ids` are not looking at `place`. */
  looking(place: string, ids: readonly number[]): Promise<string> {
    return this.ask({
      type: place.startsWith('r-') ? 'direct' : 'community',
      channel_id: place,
      community_id: place,
      ids,
    });
  }

  enter(user: number, community: number | null, channel: string): Promise<string> {
    return this.ask({ type: 'enter', user_id: user, community_id: community, channel_id: channel });
  }

  leave(user: number, community: number | null, channel: string): Promise<string> {
    return this.ask({ type: 'signaling', user_id: user, community_id: community, channel_id: channel });
  }

  inVoice(community: number): Promise<string> {
    return this.ask({ type: 'before-enter', user_id: 1, community_id: community });
  }

  async close(): Promise<void> {
    if (this.socket.destroyed) return;
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }
}
