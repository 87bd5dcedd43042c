import { WebSocket } from 'ws';
import { FrameReader, frameText, type StompFrame } from './stomp-frame.ts';

const PATIENCE_MS = 15_000;

export interface StompClientOptions {
  /** Of the server: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Goes into `access-token`; null: no such header. */
  readonly token: string | null;
  /** Goes into `user-id`; absent: no such header. */
  readonly userId?: number;
  /** Default `1.0,1.1,1.2`. */
  readonly acceptVersion?: string;
  /** Default `0,0`; where the first number is positive, beats are sent. */
  readonly heartBeat?: string;
  /** Path under `url`; default `/my-chat/websocket`. */
  readonly path?: string;
  /** Headers of the upgrade request, such as `origin`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sub-protocols; default `v12.stomp`. */
  readonly protocols?: readonly string[];
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export interface SubscribeOptions {
  /** Default: the next number. */
  readonly id?: string;
  readonly lastSeq?: number | string;
  /** Default true: resolves with the RECEIPT; false: resolves at once. */
  readonly receipt?: boolean;
}

type Predicate<Value> = (value: Value) => boolean;

interface Waiter {
  readonly wants: Predicate<StompFrame>;
  readonly take: (frame: StompFrame) => void;
  readonly fail: (error: Error) => void;
}

/** A raw STOMP client over one WebSocket. Every wait ends by an error after 15 s, or when the connection closes. */
export class StompClient {
  /** All frames received, CONNECTED first. */
  readonly frames: StompFrame[] = [];
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<Closed>;
  readonly #socket: WebSocket;
  readonly #waiters = new Set<Waiter>();
  readonly #subscriptions = new Map<string, StompSubscription>();
  readonly #reader = new FrameReader();
  #ids = 0;
  #end: Closed | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      for (const frame of this.#reader.push(String(data))) this.#take(frame);
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#end = { code, reason: String(reason) };
        for (const waiter of this.#waiters) waiter.fail(this.#gone());
        resolve(this.#end);
      });
    });
  }

  /** An open WebSocket on which nothing was said yet. */
  static async open(options: Pick<StompClientOptions, 'url' | 'path' | 'headers' | 'protocols'>): Promise<StompClient> {
    const { url, path = '/my-chat/websocket', headers = {}, protocols = ['v12.stomp'] } = options;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, [...protocols], {
      headers,
      perMessageDeflate: false,
      handshakeTimeout: PATIENCE_MS,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    // What ends the connection is told by `closed`.
    socket.on('error', () => {});
    return new StompClient(socket);
  }

  /** Resolves with CONNECTED received. @throws Error that names the ERROR frame or the close otherwise */
  static async connect(options: StompClientOptions): Promise<StompClient> {
    const client = await StompClient.open(options);
    const { token, userId, heartBeat = '0,0' } = options;
    const headers: Record<string, string> = {
      'accept-version': options.acceptVersion ?? '1.0,1.1,1.2',
      'heart-beat': heartBeat,
    };
    if (token !== null) headers['access-token'] = token;
    if (userId !== undefined) headers['user-id'] = String(userId);
    client.raw(frameText('CONNECT', headers));
    await client.next(({ command }) => command === 'CONNECTED');
    const every = Number.parseInt(heartBeat, 10);
    if (every > 0) {
      const beats = setInterval(() => client.raw('\n'), every / 2);
      void client.closed.then(() => clearInterval(beats));
    }
    return client;
  }

  /** Sends a text as it is. */
  raw(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** SEND with a receipt; resolves with the RECEIPT. @throws Error with the refusal: an ERROR frame, or one on the errors queue that has this receipt */
  async send(destination: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<StompFrame> {
    const receipt = `receipt-${this.#nextId()}`;
    const answer = this.#receipt(receipt);
    this.raw(frameText('SEND', { destination, receipt, ...headers }, body));
    return await answer;
  }

  /** SEND without a receipt. */
  tell(destination: string, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.raw(frameText('SEND', { destination, ...headers }, body));
  }

  async subscribe(destination: string, options: SubscribeOptions = {}): Promise<StompSubscription> {
    const { id = this.#nextId(), lastSeq, receipt = true } = options;
    const subscription = new StompSubscription(this, id, destination);
    this.#subscriptions.set(id, subscription);
    const headers: Record<string, string> = { id, destination };
    if (lastSeq !== undefined) headers['last-seq'] = String(lastSeq);
    if (!receipt) {
      this.raw(frameText('SUBSCRIBE', headers));
      return subscription;
    }
    headers.receipt = `receipt-${this.#nextId()}`;
    const answer = this.#receipt(headers.receipt);
    this.raw(frameText('SUBSCRIBE', headers));
    subscription.receipt = await answer;
    return subscription;
  }

  async unsubscribe(id: string): Promise<StompFrame> {
    const receipt = `receipt-${this.#nextId()}`;
    const answer = this.#receipt(receipt);
    this.raw(frameText('UNSUBSCRIBE', { id, receipt }));
    return await answer;
  }

  /** The first frame from now on that `wants` it. */
  next(wants: Predicate<StompFrame>, withinMs = PATIENCE_MS): Promise<StompFrame> {
    return new Promise((resolve, reject) => {
      if (this.#end !== null) return reject(this.#gone());
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        wants,
        take: (frame) => {
          done();
          resolve(frame);
        },
        fail: (error) => {
          done();
          reject(error);
        },
      };
      // Made here, so that it names the caller.
      const late = new Error(`no such frame within ${withinMs} ms`);
      const timer = setTimeout(() => waiter.fail(late), withinMs);
      this.#waiters.add(waiter);
    });
  }

  /** Says DISCONNECT and waits for the end. */
  async close(): Promise<void> {
    if (this.#end !== null) return;
    this.raw(frameText('DISCONNECT', { receipt: 'bye' }));
    await this.next(({ headers }) => headers['receipt-id'] === 'bye', 2_000).catch(() => undefined);
    this.#socket.close(1000);
    const late = setTimeout(() => this.#socket.terminate(), 2_000);
    await this.closed;
    clearTimeout(late);
  }

  /** Gone without a word. */
  async cut(): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }

  /** Stops reading from the socket, so that what is sent piles up; `resume` ends that. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async #receipt(id: string): Promise<StompFrame> {
    const answer = await this.next(
      ({ command, headers, body }) =>
        headers['receipt-id'] === id || (command === 'MESSAGE' && isRefusalOf(id, headers, body)),
    );
    if (answer.command === 'RECEIPT') return answer;
    throw new Error(`refused: ${answer.body}`);
  }

  #take(frame: StompFrame): void {
    this.frames.push(frame);
    if (frame.command === 'MESSAGE') this.#subscriptions.get(frame.headers.subscription ?? '')?.take(frame);
    for (const waiter of this.#waiters) if (waiter.wants(frame)) waiter.take(frame);
  }

  #gone(): Error {
    const error = this.frames.find(({ command }) => command === 'ERROR');
    const said = error === undefined ? '' : `, after ERROR ${error.headers.code}: ${error.headers.message}`;
    return new Error(`the connection was closed with ${this.#end?.code} ${this.#end?.reason}${said}`);
  }

  #nextId(): string {
    this.#ids += 1;
    return String(this.#ids);
  }
}

/** What one subscription received. */
export class StompSubscription {
  readonly id: string;
  readonly destination: string;
  /** All frames, in order. */
  readonly frames: StompFrame[] = [];
  /** The bodies of `frames`, read. */
  readonly bodies: Record<string, unknown>[] = [];
  /** The RECEIPT of its SUBSCRIBE. */
  receipt: StompFrame | null = null;
  readonly #client: StompClient;

  constructor(client: StompClient, id: string, destination: string) {
    this.#client = client;
    this.id = id;
    this.destination = destination;
  }

  take(frame: StompFrame): void {
    this.frames.push(frame);
    this.bodies.push(JSON.parse(frame.body));
  }

  /** The first body that `wants` it, of those received and those to come. */
  async next(wants: Predicate<Record<string, unknown>>, withinMs?: number): Promise<Record<string, unknown>> {
    const had = this.bodies.find(wants);
    if (had !== undefined) return had;
    const frame = await this.#client.next(
      ({ command, headers, body }) =>
        command === 'MESSAGE' && headers.subscription === this.id && wants(JSON.parse(body)),
      withinMs,
    );
    return JSON.parse(frame.body);
  }

  /** Resolves when `count` bodies that `wants` it were received, with all of them so far. */
  async atLeast(
    count: number,
    wants: Predicate<Record<string, unknown>> = () => true,
    withinMs?: number,
  ): Promise<Record<string, unknown>[]> {
    const matching = () => this.bodies.filter(wants);
    if (matching().length < count) await this.#until(() => matching().length >= count, withinMs);
    return matching();
  }

  unsubscribe(): Promise<StompFrame> {
    return this.#client.unsubscribe(this.id);
  }

  async #until(holds: () => boolean, withinMs?: number): Promise<void> {
    await this.#client
      .next(({ headers }) => headers.subscription === this.id && holds(), withinMs)
      .catch((error: unknown) => {
        throw new Error(`${this.destination}: ${this.frames.length} frames, and then: ${String(error)}`);
      });
  }
}

function isRefusalOf(receipt: string, headers: StompFrame['headers'], body: string): boolean {
  return headers.destination === '/user/queue/errors' && JSON.parse(body)['receipt-id'] === receipt;
}
