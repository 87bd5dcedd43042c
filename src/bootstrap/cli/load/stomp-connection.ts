import { WebSocket } from 'ws';
import { FrameReader, frameText, type StompFrame } from './stomp-frame.ts';

export interface ConnectionOptions {
  /** Address of the server: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Path under `url`. Default: `/my-chat/websocket`. */
  readonly path?: string;
  /** Headers of the upgrade request, such as `origin`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sub-protocols. Default: `v12.stomp`. */
  readonly protocols?: readonly string[];
  /** Time for the handshake, in milliseconds. Default: 15,000. */
  readonly handshakeMs?: number;
}

export interface ConnectionEnd {
  readonly code: number;
  readonly reason: string;
}

export interface ConnectionEvents {
  /** The WebSocket is open. The client has sent nothing yet. */
  readonly opened: () => void;
  readonly frame: (frame: StompFrame) => void;
  /** The connection is closed, or was never opened. Called once; no frame comes after it. */
  readonly closed: (end: ConnectionEnd) => void;
  /** The handshake or the socket failed. `closed` follows. */
  readonly failed?: (error: Error) => void;
}

/** A WebSocket that carries STOMP frames. It keeps no frame and waits for nothing. */
export class StompConnection {
  /** `performance.now()` of the last read. */
  heardAt = performance.now();
  readonly #socket: WebSocket;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    const { url, path = '/my-chat/websocket', headers = {}, protocols = ['v12.stomp'], handshakeMs = 15_000 } = options;
    const reader = new FrameReader();
    this.#socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, [...protocols], {
      headers,
      perMessageDeflate: false,
      handshakeTimeout: handshakeMs,
    });
    this.#socket.on('open', events.opened);
    this.#socket.on('message', (data) => {
      this.heardAt = performance.now();
      for (const frame of reader.push(String(data))) events.frame(frame);
    });
    this.#socket.on('error', (error) => events.failed?.(error));
    this.#socket.on('close', (code, reason) => events.closed({ code, reason: String(reason) }));
  }

  send(command: string, headers: Readonly<Record<string, string | number>>, body: unknown = ''): void {
    this.raw(frameText(command, headers, body));
  }

  /** Sends a text as it is. Does nothing unless the connection is open. */
  raw(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Begins the closing handshake. */
  close(code: number): void {
    this.#socket.close(code);
  }

  /** Ends the connection at once, without a closing handshake. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** Stops reading from the socket. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
