import { chmod, mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Agent, createServer, request as httpRequest } from '../support/node-http.ts';
import type { Client } from '../transport/client-address.ts';
import { MAX_PARSED_HEADER_BYTES } from '../transport/request-headers.ts';
import { routeOf } from './route.ts';

/** Whoever can open a private socket can name any address as a client's. */
const OWNER_ONLY = 0o600;
/** Header with the client of a request that is passed on. Accepted only on the private socket. */
const CLIENT_HEADER = 'x-worker-client';
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'http2-settings', CLIENT_HEADER];

export interface StickySessionsOptions {
  readonly prefix: string;
  /** The number of this worker, from 1. */
  readonly worker: number;
  readonly workers: number;
  /** The folder of the private sockets. It is created if it does not exist. */
  readonly folder: string;
}

/**
 * Keeps each SockJS session over HTTP at one of several worker processes behind one port.
 *
 * The requests of a session may arrive at any worker. The hash of the session id decides which
 * worker owns the session. Another worker passes the request on over the owner's private socket.
 * WebSockets stay at the worker where they arrive.
 */
export class StickySessions {
  readonly #options: StickySessionsOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1_000 });
  #server: Server | null = null;

  constructor(options: StickySessionsOptions) {
    this.#options = options;
  }

  /** Listens for requests that siblings pass on. */
  async listen(
    handle: (request: IncomingMessage, response: ServerResponse, client: Client | null) => void,
  ): Promise<void> {
    const path = this.#socketOf(this.#options.worker);
    await mkdir(this.#options.folder, { recursive: true });
    await rm(path, { force: true });
    // The header with the client comes on top of the client's own headers.
    const server = createServer({ maxHeaderSize: MAX_PARSED_HEADER_BYTES }, (request, response) =>
      handle(request, response, takeClient(request)),
    );
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path, exclusive: true }, resolve);
    });
    await chmod(path, OWNER_ONLY);
  }

  /**
   * Passes a request on to the worker that owns its session.
   * @returns false, with nothing done, if this worker owns the session or the request has none
   */
  pass(request: IncomingMessage, response: ServerResponse, client: Client): boolean {
    const route = routeOf(request.url ?? '', this.#options.prefix);
    if (route?.kind !== 'session' || route.endpoint === 'websocket') return false;
    const owner = this.#ownerOf(route.session);
    if (owner === this.#options.worker) return false;
    const { method, url: path } = request;
    const headers = { ...endToEnd(request.headers), [CLIENT_HEADER]: JSON.stringify(client) };
    const target = { socketPath: this.#socketOf(owner), agent: this.#agent, method, path, headers };
    const passed = httpRequest(target, (answer) => {
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    passed.on('error', () => {
      // The sibling is being restarted. Its sessions are gone, and the client starts another one.
      if (response.headersSent) response.destroy();
      else response.writeHead(503).end();
    });
    response.on('close', () => passed.destroy());
    request.pipe(passed);
    return true;
  }

  close(): void {
    this.#agent.destroy();
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  #ownerOf(session: string): number {
    let hash = 0;
    for (let i = 0; i < session.length; i++) hash = (Math.imul(hash, 31) + session.charCodeAt(i)) >>> 0;
    return (hash % this.#options.workers) + 1;
  }

  #socketOf(worker: number): string {
    return join(this.#options.folder, `worker-${worker}.sock`);
  }
}

function endToEnd<Value>(headers: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
}

/** Removes the client header from a request that a sibling passed on, and returns its value. */
function takeClient(request: IncomingMessage): Client | null {
  const text = request.headers[CLIENT_HEADER];
  delete request.headers[CLIENT_HEADER];
  return typeof text === 'string' ? (JSON.parse(text) as Client) : null;
}
