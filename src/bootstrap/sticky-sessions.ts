import { rm } from 'node:fs/promises';
import { Agent, request as ask, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Client } from '../adapters/http/client-address.ts';
import { routeOf } from '../adapters/sockjs/route.ts';

/** Header by which a worker tells its sibling whose request it passes on; believed on the private socket only. */
const CLIENT = 'x-worker-client';
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', CLIENT];

/**
 * Several processes behind one port, and SockJS sessions over HTTP whose requests come in on any connection: each session belongs to the worker that its id
 * falls to, and whoever else gets one of its requests passes it on over that worker's private socket. WebSockets stay where they came in.
 */
export class StickySessions {
  readonly #prefix: string;
  readonly #worker: number;
  readonly #workers: number;
  readonly #folder: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1_000 });
  #server: Server | null = null;

  /** `worker` counts from 1. The private sockets lie in `folder`. */
  constructor(options: { prefix: string; worker: number; workers: number; folder: string }) {
    this.#prefix = options.prefix;
    this.#worker = options.worker;
    this.#workers = options.workers;
    this.#folder = options.folder;
  }

  /** Takes the requests that siblings pass on. */
  async listen(
    handle: (request: IncomingMessage, response: ServerResponse, client: Client | null) => void,
  ): Promise<void> {
    const path = this.#socketOf(this.#worker);
    await rm(path, { force: true });
    const server = createServer((request, response) => handle(request, response, clientIn(request)));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path, exclusive: true }, resolve);
    });
  }

  /** Passes the request on where its session is another worker's; false where it is ours, or no session's. */
  pass(request: IncomingMessage, response: ServerResponse, client: Client): boolean {
    const route = routeOf(request.url ?? '', this.#prefix);
    if (route?.kind !== 'session' || route.endpoint === 'websocket') return false;
    const owner = this.#ownerOf(route.session);
    if (owner === this.#worker) return false;
    const { method, url: path } = request;
    const kept = Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
    const headers = { ...Object.fromEntries(kept), [CLIENT]: JSON.stringify(client) };
    const passed = ask({ socketPath: this.#socketOf(owner), agent: this.#agent, method, path, headers }, (answer) => {
      const told = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
      response.writeHead(answer.statusCode ?? 502, Object.fromEntries(told));
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    passed.on('error', () => {
      // The sibling is starting anew: its sessions are gone, and the client begins another.
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
    return (hash % this.#workers) + 1;
  }

  #socketOf(worker: number): string {
    return join(this.#folder, `worker-${worker}.sock`);
  }
}

function clientIn(request: IncomingMessage): Client | null {
  const text = request.headers[CLIENT];
  delete request.headers[CLIENT];
  if (typeof text !== 'string') return null;
  return JSON.parse(text) as Client;
}
