import type { Socket } from 'node:net';
import { FrameReader, frameOf } from './frames.ts';

export interface PeerHandlers<In> {
  /** Called for each message, in order. */
  readonly onMessage: (message: In) => void;
  /** Called once, when the connection has ended for whatever reason. */
  readonly onClosed: (error: Error | null) => void;
}

/**
 * One end of a connection between two processes of a server. Messages are values that can be
 * cloned. They arrive in order, or the connection ends. The messages of one turn of the event loop
 * leave in one write, so the messages of many clients share a system call and the other process is
 * woken once.
 */
export class Peer<In, Out> {
  readonly #socket: Socket;
  #outgoing: Out[] = [];
  #error: Error | null = null;

  constructor(socket: Socket, { onMessage, onClosed }: PeerHandlers<In>) {
    this.#socket = socket;
    const reader = new FrameReader((messages) => {
      for (const message of messages as readonly In[]) onMessage(message);
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.take(chunk);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.once('close', () => onClosed(this.#error));
  }

  /** Sends a message. Does nothing after the end of the connection. */
  send(message: Out): void {
    if (this.#outgoing.length === 0) setImmediate(() => this.#flush());
    this.#outgoing.push(message);
  }

  /** Ends the connection when everything is sent. */
  end(): void {
    this.#flush();
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #flush(): void {
    const messages = this.#outgoing;
    this.#outgoing = [];
    if (messages.length === 0 || !this.#socket.writable) return;
    const [header, body] = frameOf(messages);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(body);
    this.#socket.uncork();
  }
}
