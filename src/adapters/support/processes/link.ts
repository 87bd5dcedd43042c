import { connect } from 'node:net';
import { Peer } from './peer.ts';

const RETRY_MS = 50;

export interface LinkOptions<In> {
  /** Path of the Unix socket. */
  readonly path: string;
  readonly onMessage: (message: In) => void;
  /** The connection is open, for the first time or again. What is sent now arrives first. */
  readonly onUp: () => void;
  /** The connection has ended. What was sent before may not have arrived. */
  readonly onDown: (reason: string) => void;
}

/** A connection to another process of this server that is opened again whenever it ends. */
export class Link<In, Out> {
  readonly #options: LinkOptions<In>;
  #peer: Peer<In, Out> | null = null;
  #isUp = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(options: LinkOptions<In>) {
    this.#options = options;
    this.#open();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Returns false, with nothing done, while the connection is not open. */
  send(message: Out): boolean {
    if (!this.#isUp || this.#peer === null) return false;
    this.#peer.send(message);
    return true;
  }

  /** Ends the connection for good, when everything is sent. */
  close(): void {
    this.#isClosed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#peer?.end();
  }

  #open(): void {
    this.#retry = null;
    const { path, onMessage, onUp, onDown } = this.#options;
    const socket = connect(path);
    const peer = new Peer<In, Out>(socket, {
      onMessage: (message) => {
        if (!this.#isClosed) onMessage(message);
      },
      onClosed: (error) => {
        const wasUp = this.#isUp;
        this.#isUp = false;
        this.#peer = null;
        if (this.#isClosed) return;
        this.#retry = setTimeout(() => this.#open(), RETRY_MS);
        if (wasUp) onDown(error?.message ?? 'the connection has ended');
      },
    });
    socket.once('connect', () => {
      this.#isUp = true;
      onUp();
    });
    this.#peer = peer;
  }
}
