import { WebSocket } from 'ws';
import { FrameReader, frameText, type StompFrame } from '../stomp-frame.ts';

export interface ConnectionEvents {
  /** The server let us in. */
  readonly connected: () => void;
  readonly frame: (frame: StompFrame) => void;
  /** Once, however it ended; nothing comes after it. */
  readonly ended: (why: string) => void;
}

const OPEN_MS = 5_000;

/** One STOMP session of a client that counts on nothing: it keeps no frames, and ends by itself when the server does not let it in. */
export class StormConnection {
  /** `performance.now()` when something came last. */
  heardAt = performance.now();
  readonly #socket: WebSocket;
  readonly #events: ConnectionEvents;
  readonly #reader = new FrameReader();
  readonly #opening: NodeJS.Timeout;
  #isConnected = false;
  #isOver = false;

  /** @param url `http://127.0.0.1:8080` */
  constructor(url: string, token: string, events: ConnectionEvents) {
    this.#events = events;
    const options = { perMessageDeflate: false, handshakeTimeout: OPEN_MS };
    this.#socket = new WebSocket(`${url.replace(/^http/, 'ws')}/my-chat/websocket`, ['v12.stomp'], options);
    this.#opening = setTimeout(() => this.end('not let in'), OPEN_MS);
    this.#socket.on('open', () => {
      this.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': '0,10000', 'access-token': token });
    });
    this.#socket.on('message', (data) => this.#take(String(data)));
    this.#socket.on('error', () => {});
    this.#socket.on('close', (code) => this.end(`closed with ${code}`));
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.#isOver;
  }

  send(command: string, headers: Readonly<Record<string, string | number>>, body: unknown = ''): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frameText(command, headers, body));
  }

  /** Gone at once, without a word. */
  end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#opening);
    this.#socket.terminate();
    this.#events.ended(why);
  }

  #take(text: string): void {
    if (this.#isOver) return;
    this.heardAt = performance.now();
    for (const frame of this.#reader.push(text)) {
      if (frame.command === '' || this.#isOver) continue;
      if (frame.command !== 'CONNECTED') {
        this.#events.frame(frame);
        continue;
      }
      this.#isConnected = true;
      clearTimeout(this.#opening);
      this.#events.connected();
    }
  }
}
