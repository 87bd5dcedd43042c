import type { Worker } from 'node:cluster';
import type { Server as HttpServer } from 'node:http';
import { createServer, type Server, Socket } from 'node:net';
import { maxOpenFiles } from './max-open-files.ts';

/** A worker is about to listen on the port. */
export interface PortWanted {
  readonly portWanted: true;
}
/** The parent process does not hold the port now. */
interface PortFree {
  readonly portFree: true;
}
/** Comes with the socket of a client that waited. */
interface Admitted {
  readonly admitted: true;
}

/** Clients that wait at the same time. Further ones are closed. */
const MAX_WAITING = 16_000;
/** The part of its open files that the parent process gives to them. The next workers need some. */
const FILES_SHARE = 0.8;
/**
 * A client that waited for this long, in milliseconds, is closed and tries again. Nothing is read
 * from it, so a client that has given up would stay, and cost the next worker a session for nobody.
 */
const MAX_WAIT_MS = 8_000;
const BACKLOG = 4_096;
/** The port of the last worker is free some moments after its end. */
const RETRY_MS = 20;
const MAX_RETRIES = 100;
/** Milliseconds after the first worker in which the others must listen to get their share. */
const OTHERS_MS = 5_000;
/** Sockets that may be on their way to a worker, whose channel passes one after the other. */
const ON_THE_WAY = 4;

export interface WaitingRoomOptions {
  readonly host: string;
  readonly port: number;
  readonly log: (what: string, fields: Record<string, unknown>) => void;
  /** Milliseconds that a client waits. Default: 8,000. */
  readonly maxWaitMs?: number;
}

/**
 * Holds the port in the parent process while no worker runs. So clients of workers that were all
 * killed wait a moment for the next ones, and are not refused. Nothing is read from them meanwhile.
 */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  readonly #maxWaiting = Math.min(MAX_WAITING, (maxOpenFiles() ?? Infinity) * FILES_SHARE);
  #server: Server | null = null;
  #retry: NodeJS.Timeout | null = null;
  /** In the order in which they came. */
  #waiting: Socket[] = [];

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  /** Number of clients that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Holds the port as soon as it is free. Does nothing if it is held. */
  open(): void {
    if (this.#server === null && this.#retry === null) this.#listen(0);
  }

  /** @param retries failed attempts before this one */
  #listen(retries: number): void {
    this.#retry = null;
    const { host, port, log, maxWaitMs = MAX_WAIT_MS } = this.#options;
    const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true }, (socket) => {
      // A client may give up while it waits.
      socket.on('error', () => {});
      if (this.#waiting.length >= this.#maxWaiting) {
        socket.destroy();
        return;
      }
      this.#waiting.push(socket);
      setTimeout(() => this.#sendAway(socket), maxWaitMs).unref();
    });
    server.once('listening', () => log('no worker runs; new connections wait', { port }));
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (this.#server !== server) return;
      this.#server = null;
      if (error.code === 'EADDRINUSE' && retries < MAX_RETRIES) {
        this.#retry = setTimeout(() => this.#listen(retries + 1), RETRY_MS);
      } else log('no worker runs, and the port cannot be held', { port, error: error.message });
    });
    this.#server = server;
    server.listen(port, host, BACKLOG);
  }

  /** Leaves the port to the workers. Clients that wait stay. */
  close(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#server?.close();
    this.#server = null;
  }

  /** Closes the connections of all clients that wait. */
  dismiss(): void {
    this.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  /**
   * Passes clients on to a worker that listens.
   * @param awaited workers that do not listen yet. The clients are shared with them, for some
   * seconds
   */
  admit(worker: Worker, awaited: number): void {
    if (this.#waiting.length === 0) return;
    const share = Math.ceil(this.#waiting.length / (awaited + 1));
    void this.#pass(worker, this.#waiting.splice(0, share));
    if (awaited > 0) setTimeout(() => this.admit(worker, 0), OTHERS_MS).unref();
  }

  /** Answers the worker that asks for the port. Returns false for another message. */
  hear(worker: Worker, message: Partial<PortWanted>): boolean {
    if (message.portWanted === undefined) return false;
    this.close();
    if (worker.isConnected()) worker.send({ portFree: true } satisfies PortFree);
    return true;
  }

  /** Does nothing for a client that was passed on. */
  #sendAway(socket: Socket): void {
    const index = this.#waiting.indexOf(socket);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    socket.destroy();
  }

  async #pass(worker: Worker, sockets: readonly Socket[]): Promise<void> {
    const onTheWay: Socket[] = [];
    // A socket that was passed on is no longer open here. One that was not would stay open forever.
    const lost = (): void => {
      for (const socket of onTheWay) socket.destroy();
    };
    worker.once('exit', lost);
    for (const [i, socket] of sockets.entries()) {
      if (socket.destroyed) continue;
      if (worker.isDead() || !worker.isConnected()) {
        this.#waiting.push(...sockets.slice(i));
        break;
      }
      onTheWay.push(socket);
      if (onTheWay.length > ON_THE_WAY) onTheWay.shift();
      await new Promise<void>((resolve) => {
        worker.send({ admitted: true } satisfies Admitted, socket, {}, () => resolve());
      });
    }
    worker.off('exit', lost);
  }
}

/**
 * In a worker: asks the parent process for the port, and takes the clients that waited there. Call
 * it before the server listens.
 */
export function takePort(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (message: Partial<PortFree & Admitted>, handle: unknown) => {
      if (message.portFree === true) resolve();
      if (message.admitted !== true || !(handle instanceof Socket)) return;
      handle.setNoDelay(true);
      handle.setKeepAlive(true);
      handle.allowHalfOpen = true;
      server.emit('connection', handle);
    });
    process.send?.({ portWanted: true } satisfies PortWanted);
  });
}
