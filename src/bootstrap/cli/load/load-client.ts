import type { StompFrame } from './stomp-frame.ts';
import { StompSession } from './stomp-session.ts';
import { HeardNumbers, type Tally } from './tally.ts';

const ERRORS = '/user/queue/errors';
/** The server sends a heart-beat every 10 s. */
const SILENCE_MS = 25_000;
const LOOK_MS = 5_000;
/** A client that lost its connection comes back after a random time between these two. */
const MIN_BACK_MS = 100;
const MAX_BACK_MS = 1_000;

export interface Connected {
  readonly userId: number;
  readonly url: string;
  readonly isAgain: boolean;
}

export interface LoadClientParts {
  readonly userId: number;
  readonly roomId: number;
  /** The events of the room up to this number are not expected. */
  readonly from: number;
  readonly token: string;
  /** Addresses of the servers or of their load balancer. */
  readonly urls: readonly string[];
  readonly text: string;
  readonly tally: Tally;
  readonly random: () => number;
  /** The client has connected to a server, for the first time or again. */
  readonly onConnected?: (connected: Connected) => void;
}

/**
 * A member of one room. It subscribes, sends, and after each lost connection connects to another
 * server, resumes and repeats the sends that have no receipt.
 */
export class LoadClient {
  readonly heard: HeardNumbers;
  readonly #parts: LoadClientParts;
  /** Nonces of the sends without a receipt, oldest first. */
  readonly #open = new Set<string>();
  #session: StompSession | null = null;
  #server: number;
  #wasLive = false;
  #isLive = false;
  #isStopped = false;
  #watch: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(parts: LoadClientParts) {
    this.#parts = parts;
    this.heard = new HeardNumbers(parts.from, parts.tally);
    this.#server = Math.floor(parts.random() * parts.urls.length);
  }

  get roomId(): number {
    return this.#parts.roomId;
  }

  /** True while the subscription is live and has no events to catch up with. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** Sends without a receipt. */
  get open(): number {
    return this.#open.size;
  }

  /** The address of the server of the present or next connection. */
  get url(): string {
    return this.#parts.urls[this.#server] ?? '';
  }

  start(): void {
    this.#connect();
    this.#watch = setInterval(() => {
      const session = this.#session;
      if (session?.isConnected && performance.now() - session.heardAt > SILENCE_MS) session.end('silence');
    }, LOOK_MS);
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#watch);
    clearTimeout(this.#again);
    this.#session?.end('the load test is over');
  }

  send(nonce: string): void {
    this.#parts.tally.sent += 1;
    this.#parts.tally.sentAt.set(nonce, performance.now());
    this.#open.add(nonce);
    this.#write(nonce);
  }

  #connect(): void {
    const { userId, token, tally, urls, random, onConnected } = this.#parts;
    const { url } = this;
    const session = new StompSession(url, token, {
      connected: () => {
        onConnected?.({ userId, url, isAgain: this.#wasLive });
        this.#subscribe(session);
      },
      frame: (frame) => this.#take(frame, session),
      ended: (why) => {
        this.#session = null;
        this.#isLive = false;
        if (this.#isStopped) return;
        tally.lastEnd = tally.lastEnd?.startsWith('ERROR') && why.startsWith('closed') ? tally.lastEnd : why;
        if (this.#wasLive) tally.reconnects += 1;
        // A load balancer would not lead back to a server that has just closed the connection.
        if (urls.length > 1) this.#server = (this.#server + 1 + Math.floor(random() * (urls.length - 1))) % urls.length;
        this.#again = setTimeout(() => this.#connect(), MIN_BACK_MS + random() * (MAX_BACK_MS - MIN_BACK_MS));
      },
    });
    this.#session = session;
  }

  #subscribe(session: StompSession): void {
    session.send('SUBSCRIBE', { id: 'errors', destination: ERRORS });
    const destination = `/topic/direct/${this.roomId}`;
    session.send('SUBSCRIBE', { id: 'room', destination, 'last-seq': this.heard.last, receipt: 'room' });
  }

  #write(nonce: string): void {
    const { userId, text } = this.#parts;
    const headers = { destination: '/kafka/send-direct-message', receipt: nonce };
    const author = { userId, name: `user${userId}`, profileImage: null };
    this.#session?.send('SEND', headers, { channelId: this.roomId, ...author, content: text, nonce });
  }

  #take({ command, headers, body }: StompFrame, session: StompSession): void {
    if (command === 'ERROR') {
      this.#parts.tally.lastEnd = `ERROR ${headers.code ?? ''}: ${headers.message ?? ''}`;
      return;
    }
    if (command === 'RECEIPT') this.#receipted(headers['receipt-id'] ?? '');
    else if (headers.destination === ERRORS) this.#refused(body, session);
    else if (headers.subscription === 'room' && headers.seq !== undefined) this.#delivered(Number(headers.seq), body);
  }

  #receipted(id: string): void {
    const { tally } = this.#parts;
    if (id === 'room') {
      this.#isLive = true;
      this.#wasLive = true;
      // The server stores a nonce once.
      for (const nonce of this.#open) this.#write(nonce);
    } else if (this.#open.delete(id)) {
      tally.receipted += 1;
      tally.receipt.add(performance.now() - (tally.sentAt.get(id) ?? 0));
    }
  }

  #delivered(seq: number, body: string): void {
    const { tally } = this.#parts;
    const said = JSON.parse(body);
    if (said.type === 'reset') {
      this.heard.reset(seq);
      return;
    }
    tally.deliveries += 1;
    this.heard.take(seq);
    const sentAt = tally.sentAt.get(said.nonce);
    if (sentAt !== undefined) tally.delivery.add(performance.now() - sentAt);
  }

  #refused(body: string, session: StompSession): void {
    const { code, message, 'receipt-id': nonce, subscription } = JSON.parse(body);
    const { tally } = this.#parts;
    if (subscription === 'room') {
      tally.lastEnd = `SUBSCRIBE refused with ${code}: ${message}`;
      session.end(tally.lastEnd);
    } else if (this.#open.delete(nonce)) tally.refuse(Number(code));
  }
}
