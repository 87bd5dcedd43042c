import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A SockJS session lives on the server that opened it. Its requests name it in the path. */
export const SOCKJS_SESSION = /^\/my-chat\/[^/.]+\/([^/.]+)\//;

const CONNECT_MS = 2_000;
/** More than a chat server accepts: it answers itself. */
const MAX_HEADER_BYTES = 65_536;

export interface Balancer {
  readonly port: number;
  readonly url: string;
  /** Ends all connections. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a small load balancer on 127.0.0.1, with the rule of `deploy/nginx.conf`: requests of one
 * SockJS session go to one server, all others to the servers in turn. A server that accepts no
 * connection is skipped.
 * @param targets ports on 127.0.0.1
 * @param port 0: a free port
 */
export async function startBalancer(targets: readonly number[], port: number): Promise<Balancer> {
  let turn = 0;
  const orderFor = (path: string): readonly number[] => {
    const session = SOCKJS_SESSION.exec(path)?.[1];
    if (session !== undefined) return byAffinity(targets, session);
    turn = (turn + 1) % targets.length;
    return [...targets.slice(turn), ...targets.slice(0, turn)];
  };

  const shouldUpgradeCallback = ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket';
  const server = createServer({ shouldUpgradeCallback, maxHeaderSize: MAX_HEADER_BYTES }, (incoming, response) => {
    reach(orderFor(incoming.url ?? '/')).then(
      (socket) => forward(incoming, response, socket),
      () => response.writeHead(502).end(),
    );
  });
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    upgraded.add(client);
    client.on('error', () => client.destroy());
    client.once('close', () => upgraded.delete(client));
    reach(orderFor(incoming.url ?? '/')).then(
      (socket) => join(incoming, client, head, socket),
      () => client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n'),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  let stopping: Promise<void> | undefined;
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    stop: () => {
      stopping ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const client of upgraded) client.destroy();
      });
      return stopping;
    },
  };
}

/** All targets in the order of this session. A lost server moves only its own sessions. */
export function byAffinity(targets: readonly number[], session: string): readonly number[] {
  const weight = (target: number) => createHash('sha1').update(`${target} ${session}`).digest('hex');
  return targets
    .map((target) => ({ target, weight: weight(target) }))
    .sort(byWeight)
    .map(({ target }) => target);
}

function byWeight(a: { readonly weight: string }, b: { readonly weight: string }): number {
  return a.weight < b.weight ? -1 : 1;
}

/** Connects to the first target that accepts. */
async function reach(order: readonly number[]): Promise<Socket> {
  for (const port of order) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const late = setTimeout(() => socket.destroy(new Error(`no connection within ${CONNECT_MS} ms`)), CONNECT_MS);
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      socket.destroy();
    } finally {
      clearTimeout(late);
    }
  }
  throw new Error('no chat server accepts connections');
}

/** Sets the headers instead of appending to them: claims of a client are dropped. */
function headersFor(incoming: IncomingMessage): NodeJS.Dict<string | string[]> {
  const { forwarded: _, ...headers } = incoming.headers;
  return {
    ...headers,
    'x-forwarded-for': incoming.socket.remoteAddress ?? '',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': incoming.headers.host ?? '',
  };
}

/** An offer of another protocol, such as h2c, is for the next hop only. */
function withoutUpgrade(headers: NodeJS.Dict<string | string[]>): NodeJS.Dict<string | string[]> {
  if (headers.upgrade === undefined) return headers;
  const { upgrade: _, connection: __, 'http2-settings': ___, ...others } = headers;
  return others;
}

function forward(incoming: IncomingMessage, response: ServerResponse, socket: Socket): void {
  const outgoing = request({
    createConnection: () => socket,
    method: incoming.method,
    path: incoming.url,
    headers: withoutUpgrade(headersFor(incoming)),
  });
  outgoing.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    // SockJS streams send their headers before any body.
    response.flushHeaders();
    answer.pipe(response);
    answer.on('error', () => response.destroy());
    // The other side closed the connection in the middle of the answer.
    answer.on('close', () => {
      if (!answer.complete) response.destroy();
    });
  });
  outgoing.on('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  });
  response.on('close', () => socket.destroy());
  incoming.on('error', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function join(incoming: IncomingMessage, client: Duplex, head: Buffer, socket: Socket): void {
  const lines = Object.entries(headersFor(incoming)).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((one) => `${name}: ${one}\r\n`),
  );
  socket.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
  if (head.length > 0) socket.write(head);
  socket.on('error', () => client.destroy());
  socket.once('close', () => client.destroy());
  client.once('close', () => socket.destroy());
  socket.pipe(client);
  client.pipe(socket);
}
