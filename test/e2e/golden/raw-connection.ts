import { WebSocket } from 'ws';

/** A WebSocket that records its text messages unchanged. */
export class RawConnection {
  readonly received: string[] = [];
  /** Resolves to the close code. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  #isOver = false;
  #arrived = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data, isBinary) => {
      this.received.push(isBinary ? 'a binary message' : String(data));
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', (code) => {
        this.#isOver = true;
        this.#arrived.resolve();
        resolve(code);
      });
    });
  }

  static async open(url: string, path = '/my-chat/websocket', protocols: string[] = ['v12.stomp']) {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, protocols, { perMessageDeflate: false });
    const connection = new RawConnection(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return connection;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Resolves to the first `count` messages. Rejects if the connection closes before them. */
  async texts(count: number): Promise<string[]> {
    while (this.received.length < count) {
      if (this.#isOver) throw new Error(`the connection closed after ${JSON.stringify(this.received)}`);
      await this.#arrived.promise;
    }
    return this.received.slice(0, count);
  }

  close(): void {
    this.#socket.close(1000);
  }
}
