import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface RecordedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** An HTTP server that records its calls and answers all of them with the same status. */
export class HttpRecorder {
  readonly url: string;
  readonly calls: RecordedCall[] = [];
  readonly #server;
  readonly #waiting: ((call: RecordedCall) => void)[] = [];
  #read = 0;
  status: number;

  private constructor(server: ReturnType<typeof createServer>, status: number) {
    this.#server = server;
    this.status = status;
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}`;
    server.on('request', async (req, res) => {
      const body: unknown = await json(req);
      res.writeHead(this.status).end('{}');
      const call = { method: req.method ?? '', path: req.url ?? '', headers: req.headers, body };
      this.calls.push(call);
      const wake = this.#waiting.shift();
      if (wake === undefined) return;
      this.#read += 1;
      wake(call);
    });
  }

  static async start(status = 200): Promise<HttpRecorder> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HttpRecorder(server, status);
  }

  /** Resolves to the next call that `next` has not returned yet. */
  async next(): Promise<RecordedCall> {
    const call = this.calls[this.#read];
    if (call === undefined) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#read += 1;
    return call;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
