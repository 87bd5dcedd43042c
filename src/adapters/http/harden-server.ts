import type { Server, ServerOptions } from 'node:http';

export interface ServerLimits {
  /** Bytes of a request's line and headers. */
  readonly headerBytes: number;
  /** Milliseconds from the connection, or the end of the request before, to the end of the headers. 10000 */
  readonly headersMs?: number;
  /** Milliseconds that a whole request may take, uploads too. 900000 */
  readonly requestMs?: number;
  /** Milliseconds that a connection waits for its next request. 60000 */
  readonly keepAliveMs?: number;
  /** Milliseconds in which nothing moves either way, such as towards a client that does not read its answer. 120000 */
  readonly idleMs?: number;
}

const FAREWELL_MS = 2_000;

/** What has to be said when the node server is made: `createServer(serverOptions(limits), handler)`. */
export function serverOptions(limits: ServerLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytes,
    // How often the limits below are looked at.
    connectionsCheckingInterval: 2_000,
    insecureHTTPParser: false,
    noDelay: true,
    keepAlive: true,
  };
}

/**
 * Bounds what one connection can hold. A body that trickles is the handlers' to cut, by the time a JSON body may take and the time an upload may stand still;
 * the limit of a whole request here is the last resort.
 */
export function hardenServer(server: Server, limits: ServerLimits): void {
  server.headersTimeout = limits.headersMs ?? 10_000;
  server.requestTimeout = limits.requestMs ?? 15 * 60_000;
  server.keepAliveTimeout = limits.keepAliveMs ?? 60_000;
  server.timeout = limits.idleMs ?? 120_000;
  server.maxHeadersCount = 100;
  server.maxRequestsPerSocket = 10_000;
  server.on('clientError', (_error, socket) => {
    // No answer tells a scanner more than it sent; a broken socket takes none.
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    // Node gives the socket up to us: one that never closes its side would stay for good.
    socket.once('finish', () => socket.destroy());
    setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
}
