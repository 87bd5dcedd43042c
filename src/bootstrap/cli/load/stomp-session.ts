import { StompConnection } from './stomp-connection.ts';
import type { StompFrame } from './stomp-frame.ts';

export interface SessionEvents {
  /** CONNECTED has come. */
  readonly connected: () => void;
  readonly frame: (frame: StompFrame) => void;
  /** The session ended, for any reason. Called once; no frame comes after it. */
  readonly ended: (why: string) => void;
}

const CONNECT_MS = 5_000;

/**
 * A STOMP session of a client. It ends by itself when the server does not send CONNECTED in time.
 */
export class StompSession {
  readonly #connection: StompConnection;
  readonly #events: SessionEvents;
  readonly #connecting: NodeJS.Timeout;
  #isConnected = false;
  #isOver = false;

  /** @param url `http://127.0.0.1:8080` */
  constructor(url: string, token: string, events: SessionEvents) {
    this.#events = events;
    this.#connecting = setTimeout(() => this.end(`no CONNECTED within ${CONNECT_MS} ms`), CONNECT_MS);
    this.#connection = new StompConnection(
      { url, handshakeMs: CONNECT_MS },
      {
        opened: () => this.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': '0,10000', 'access-token': token }),
        frame: (frame) => this.#take(frame),
        closed: ({ code }) => this.end(`closed with ${code}`),
      },
    );
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.#isOver;
  }

  /** `performance.now()` of the last read. */
  get heardAt(): number {
    return this.#connection.heardAt;
  }

  send(command: string, headers: Readonly<Record<string, string | number>>, body: unknown = ''): void {
    this.#connection.send(command, headers, body);
  }

  /** Ends the connection at once, without DISCONNECT. */
  end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#connecting);
    this.#connection.terminate();
    this.#events.ended(why);
  }

  #take(frame: StompFrame): void {
    if (frame.command === '' || this.#isOver) return;
    if (frame.command !== 'CONNECTED') {
      this.#events.frame(frame);
      return;
    }
    this.#isConnected = true;
    clearTimeout(this.#connecting);
    this.#events.connected();
  }
}
