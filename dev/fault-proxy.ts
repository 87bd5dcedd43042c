import { randomBytes } from 'node:crypto';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { freePort } from './services/free-port.ts';

/**
 * - `pass`: bytes pass in both directions.
 * - `slow`: as `pass`, with each chunk delayed by `delayMs`.
 * - `lossy`: as `pass`, with every tenth chunk delayed as if TCP sent it again, 0.2 to 1.6 s.
 * - `hang`: connections are accepted and stay open. No bytes pass until the mode changes back.
 * - `mute`: bytes of the client pass. Those of the service wait until the mode changes back.
 * - `refuse`: the port is closed.
 * - `reset`: connections are accepted and reset at once.
 * - `garbage`: the first bytes of the client get random bytes as answer.
 * - `flood`: the client gets `floodBytes` bytes without a line end, even without a request.
 */
export type FaultMode = 'pass' | 'slow' | 'lossy' | 'hang' | 'mute' | 'refuse' | 'reset' | 'garbage' | 'flood';

export interface FaultProxyOptions {
  /** Port on 127.0.0.1 of the service behind the proxy. */
  readonly target: number;
  /** Default: a free one. */
  readonly port?: number;
  /** Default `pass`. */
  readonly mode?: FaultMode;
  /** Delay of mode `slow`. Default: 1,000 ms. */
  readonly delayMs?: number;
  /** Bytes of mode `flood`. Default: 200 MiB. */
  readonly floodBytes?: number;
  /** Decides in mode `lossy`; at least 0 and less than 1. Default: Math.random. */
  readonly random?: () => number;
}

/** Part of the chunks that mode `lossy` delays. */
const LOST_PART = 0.1;
const RESEND_MS = 200;
const MAX_RESENDS = 4;
const FLOOD_CHUNK = Buffer.alloc(64 * 1024, 'x');

/** A TCP proxy on 127.0.0.1 that makes the service behind it slow, silent, absent, or faulty. */
export class FaultProxy {
  readonly port: number;
  readonly #target: number;
  readonly #delayMs: number;
  readonly #floodBytes: number;
  readonly #random: () => number;
  readonly #clients = new Set<Socket>();
  readonly #pairs = new Set<Pair>();
  readonly #waiting = new Set<Socket>();
  #server: Server | undefined;
  #mode: FaultMode;
  #accepted = 0;

  private constructor(options: FaultProxyOptions, port: number) {
    this.port = port;
    this.#target = options.target;
    this.#mode = options.mode ?? 'pass';
    this.#delayMs = options.delayMs ?? 1_000;
    this.#random = options.random ?? Math.random;
    this.#floodBytes = options.floodBytes ?? 200 * 1024 * 1024;
  }

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options, options.port ?? (await freePort()));
    if (proxy.#mode !== 'refuse') await proxy.#listen();
    return proxy;
  }

  get mode(): FaultMode {
    return this.#mode;
  }

  /** Number of connections that were accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Number of clients that are connected now. */
  get open(): number {
    return this.#clients.size;
  }

  /**
   * Open connections survive a change between `pass`, `slow`, `lossy`, `hang` and `mute`. Every
   * other change ends them.
   */
  async setMode(mode: FaultMode): Promise<void> {
    this.#mode = mode;
    if (mode === 'refuse') {
      await this.#close();
      return;
    }
    if (!isRelaying(mode) && mode !== 'hang') this.cut();
    if (this.#server === undefined) await this.#listen();
    for (const pair of this.#pairs) pair.setHeld(mode === 'hang', mode === 'hang' || mode === 'mute');
    if (isRelaying(mode)) {
      for (const socket of this.#waiting) this.#bridge(socket);
      this.#waiting.clear();
    }
  }

  /** Resets the open connections. New ones are handled according to the mode. */
  cut(): void {
    for (const pair of this.#pairs) pair.end();
    for (const socket of this.#clients) socket.resetAndDestroy();
  }

  /** Closes the port and all connections. Idempotent. */
  async stop(): Promise<void> {
    await this.#close();
  }

  #listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && new Promise<void>((resolve) => server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#accepted += 1;
    this.#clients.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#clients.delete(socket);
      this.#waiting.delete(socket);
    });
    switch (this.#mode) {
      case 'pass':
      case 'slow':
      case 'lossy':
      case 'mute':
        this.#bridge(socket);
        break;
      case 'hang':
        this.#waiting.add(socket);
        break;
      case 'refuse':
      case 'reset':
        socket.resetAndDestroy();
        break;
      case 'garbage':
        socket.on('data', () => socket.write(randomBytes(512)));
        break;
      case 'flood':
        socket.resume();
        flood(socket, this.#floodBytes);
    }
  }

  #delayOfChunk(): number {
    if (this.#mode === 'slow') return this.#delayMs;
    if (this.#mode !== 'lossy' || this.#random() >= LOST_PART) return 0;
    // TCP sends a lost packet again after 0.2 s, and waits twice as long after each attempt.
    return RESEND_MS * 2 ** Math.floor(this.#random() * MAX_RESENDS);
  }

  #bridge(client: Socket): void {
    const pair = new Pair(client, this.#target, () => this.#delayOfChunk());
    if (this.#mode === 'mute') pair.setHeld(false, true);
    this.#pairs.add(pair);
    client.once('close', () => this.#pairs.delete(pair));
  }
}

/** A connection of a client, joined with one to the service. */
class Pair {
  readonly #client: Socket;
  readonly #service: Socket;
  readonly #delayMs: () => number;
  readonly #held = new Set<Socket>();

  constructor(client: Socket, port: number, delayMs: () => number) {
    this.#client = client;
    this.#service = dial(port, '127.0.0.1');
    this.#delayMs = delayMs;
    this.#service.on('error', () => client.resetAndDestroy());
    this.#service.on('close', () => client.destroy());
    client.on('close', () => this.#service.destroy());
    this.#relay(client, this.#service);
    this.#relay(this.#service, client);
  }

  setHeld(client: boolean, service: boolean): void {
    this.#held.clear();
    for (const [socket, held] of [
      [this.#client, client],
      [this.#service, service],
    ] as const) {
      if (held) {
        this.#held.add(socket);
        socket.pause();
      } else socket.resume();
    }
  }

  end(): void {
    this.#service.destroy();
  }

  #relay(from: Socket, to: Socket): void {
    // The promise chain keeps the order of chunks when the delay changes.
    let last = Promise.resolve();
    const inTurn = (act: () => void) => {
      const wait = this.#delayMs();
      const due = wait > 0 ? new Promise<void>((resolve) => setTimeout(resolve, wait).unref()) : undefined;
      last = last.then(() => due).then(act);
    };
    from.on('data', (chunk: Buffer) => {
      inTurn(() => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => {
          if (!this.#held.has(from)) from.resume();
        });
      });
    });
    from.on('end', () => inTurn(() => to.end()));
  }
}

function flood(socket: Socket, bytes: number): void {
  let left = bytes;
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      const size = Math.min(left, FLOOD_CHUNK.length);
      left -= size;
      if (!socket.write(FLOOD_CHUNK.subarray(0, size))) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

function isRelaying(mode: FaultMode): boolean {
  return mode === 'pass' || mode === 'slow' || mode === 'lossy' || mode === 'mute';
}
