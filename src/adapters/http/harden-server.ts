import type { Server, ServerOptions } from 'node:http';

export interface ServerLimits {
  /** Bytes of the line and headers of a request. */
  readonly headerBytes: number;
  /**
   * Milliseconds from the connection, or from the end of the last request, to the end of the
   * headers. Default 10,000.
   */
  readonly headersMs?: number;
  /** Milliseconds for a whole request, also for an upload. Default 900,000. */
  readonly requestMs?: number;
  /** Milliseconds that a connection waits for its next request. Default 60,000. */
  readonly keepAliveMs?: number;
  /**
   * Milliseconds without any transfer in either direction, such as to a client that does not read
   * its answer. Default 120,000.
   */
  readonly idleMs?: number;
}

/** Milliseconds in which a client closes its side after a refused request. */
const FAREWELL_MS = 2_000;

/**
 * The options that Node.js accepts only when a server is created:
 * `createServer(serverOptions(limits), handler)`.
 */
export function serverOptions(limits: ServerLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytes,
    // How often Node.js checks the time limits.
    connectionsCheckingInterval: 2_000,
    insecureHTTPParser: false,
    noDelay: true,
    keepAlive: true,
  };
}

/**
 * Limits the resources that one connection can hold. The handlers cut a slow body themselves: a
 * JSON body must arrive in time, an upload must make progress. The limit for a whole request here
 * is the last resort.
 */
export function hardenServer(server: Server, limits: ServerLimits): void {
  server.headersTimeout = limits.headersMs ?? 10_000;
  server.requestTimeout = limits.requestMs ?? 15 * 60_000;
  server.keepAliveTimeout = limits.keepAliveMs ?? 60_000;
  server.timeout = limits.idleMs ?? 120_000;
  server.maxHeadersCount = 100;
  server.maxRequestsPerSocket = 10_000;
  server.on('clientError', (_error, socket) => {
    // The answer reveals nothing to a scanner. A broken socket takes no answer.
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    // Node.js leaves the socket to this handler. Without the timer, a client that never closes its
    // side would keep it open.
    socket.once('finish', () => socket.destroy());
    setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
}
