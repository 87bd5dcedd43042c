import type { Server, ServerOptions } from 'node:http';
import { MAX_PARSED_HEADER_BYTES } from '../transport/request-headers.ts';

export interface ServerTimes {
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

/** The answer to a request whose headers the parser did not read to their end. */
export interface TooLargeAnswer {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Milliseconds in which a client closes its side after a refused request. */
const FAREWELL_MS = 2_000;

/**
 * The options that Node.js accepts only when a server is created:
 * `createServer(serverOptions(), handler)`.
 */
export function serverOptions(): ServerOptions {
  return {
    maxHeaderSize: MAX_PARSED_HEADER_BYTES,
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
 * @param onTooLarge called with the last bytes that arrived and the address of the peer
 */
export function hardenServer(
  server: Server,
  times: ServerTimes,
  onTooLarge: (packet: Buffer, address: string) => TooLargeAnswer,
): void {
  server.headersTimeout = times.headersMs ?? 10_000;
  server.requestTimeout = times.requestMs ?? 15 * 60_000;
  server.keepAliveTimeout = times.keepAliveMs ?? 60_000;
  server.timeout = times.idleMs ?? 120_000;
  server.maxHeadersCount = 100;
  server.maxRequestsPerSocket = 10_000;
  server.on('clientError', (error: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }, socket) => {
    // A broken socket takes no answer.
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    // Node.js leaves the socket to this handler. Without the timer, a client that never closes its
    // side would keep it open.
    setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
    if (error.code === 'HPE_HEADER_OVERFLOW') {
      const address = 'remoteAddress' in socket ? String(socket.remoteAddress) : '';
      // A socket that is closed with unread bytes is reset, and the client may lose the answer.
      socket.removeAllListeners('data').on('data', () => {});
      socket.end(answerText(onTooLarge(error.rawPacket ?? Buffer.alloc(0), address)));
      return;
    }
    socket.once('finish', () => socket.destroy());
    // The answer reveals nothing to a scanner.
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
}

function answerText({ headers, body }: TooLargeAnswer): string {
  return [
    'HTTP/1.1 431 Request Header Fields Too Large',
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');
}
