import { connect, type Socket } from 'node:net';

/**
 * An answer. `body` is undefined if it was not wanted. Status 0: the connection broke before the
 * end of the answer.
 */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string | undefined;
}

// All sockets read into the same bytes: each read is handled before the next one.
const shared = Buffer.allocUnsafe(256 * 1024);
const HEADERS_END = Buffer.from('\r\n\r\n');

/**
 * A kept HTTP connection for one request at a time. It keeps no bytes of an answer that is not
 * wanted. With `node:http` the load generator took half a core at 500 pages a second. Its garbage
 * collections of 10 ms, one or two a second, were part of the server's 99th percentile.
 */
export class HttpLine {
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #reads = false;
  #status = 0;
  /** Bytes of the body that are still to come. null until the headers are complete. */
  #left: number | null = null;
  #done: ((answer: HttpAnswer) => void) | null = null;

  constructor(port: number) {
    const onread = { buffer: shared, callback: (bytes: number) => this.#read(shared.subarray(0, bytes)) };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#settle({ status: 0, body: undefined }));
  }

  /**
   * Sends a request. `done` is called once, in the tick of the last byte. No other request may be
   * under way.
   */
  ask(request: string, reads: boolean, done: (answer: HttpAnswer) => void): void {
    this.#reads = reads;
    this.#done = done;
    this.#left = null;
    if (this.#socket.destroyed) this.#settle({ status: 0, body: undefined });
    else this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): boolean {
    let body = bytes;
    if (this.#left === null) {
      const head = this.#parts.length === 0 ? bytes : Buffer.concat([...this.#parts, bytes]);
      const end = head.indexOf(HEADERS_END);
      if (end < 0) {
        this.#parts = [Buffer.from(head)];
        return true;
      }
      const text = head.toString('latin1', 0, end);
      this.#status = Number(text.slice(9, 12));
      this.#left = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
      this.#parts = [];
      body = head.subarray(end + HEADERS_END.length);
    }
    this.#left -= body.length;
    if (this.#reads) this.#parts.push(Buffer.from(body));
    if (this.#left > 0) return true;
    const text = this.#reads ? Buffer.concat(this.#parts).toString() : undefined;
    this.#parts = [];
    this.#settle({ status: this.#status, body: text });
    return true;
  }

  #settle(answer: HttpAnswer): void {
    const done = this.#done;
    this.#done = null;
    done?.(answer);
  }
}
