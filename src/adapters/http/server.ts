import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../application/ports/clock.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { Refusal } from '../../domain/errors.ts';
import { createServer } from '../support/node-http.ts';
import type { RequestClients } from '../transport/request-clients.ts';
import { headerBytesOf, MAX_HEADER_BYTES } from '../transport/request-headers.ts';
import { useOriginForm } from '../transport/request-target.ts';
import { sendJsonEarly, wrappedRefusal } from './envelope.ts';
import { hardenServer, type ServerTimes, serverOptions } from './harden-server.ts';
import type { OriginRule } from './origins.ts';
import { seldom } from './seldom.ts';

export interface HttpServerOptions {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Null: every offer of another protocol is ignored. */
  readonly upgrades: {
    /** False: the offer is ignored, and `handle` answers the request. */
    accepts(request: IncomingMessage): boolean;
    handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  } | null;
  readonly clients: RequestClients;
  readonly allowOrigin: OriginRule;
  readonly telemetry: Telemetry;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly times?: ServerTimes;
}

const LOG_INTERVAL_MS = 60_000;

/**
 * Creates the server of a port, without listening. It gives every request a target in the origin
 * form, refuses requests with too large headers, and ignores offers of protocols that it does not
 * know (`Upgrade: h2c`).
 */
export function createHttpServer(options: HttpServerOptions): Server {
  const { handle, upgrades, clients, allowOrigin, telemetry } = options;
  const mayLog = seldom(options.clock, LOG_INTERVAL_MS);
  const logTooLarge = (bytes: number, address: string): void => {
    if (!mayLog()) return;
    const fields = { bytes, limit: MAX_HEADER_BYTES, address };
    telemetry.log('warn', 'the headers of a request are too large', fields);
  };
  const refuseTooLarge = (request: IncomingMessage, response: ServerResponse, bytes: number): void => {
    const { address, host } = clients.of(request);
    logTooLarge(bytes, address);
    const { origin } = request.headers;
    response.setHeader('vary', 'Origin');
    if (origin !== undefined && allowOrigin(origin, host)) {
      for (const [name, value] of corsHeaders(origin)) response.setHeader(name, value);
    }
    sendJsonEarly(request, response, 431, wrappedRefusal(tooLarge(`${bytes} bytes`)));
  };
  const server = createServer(
    {
      ...serverOptions(),
      shouldUpgradeCallback: (request) => {
        useOriginForm(request);
        return upgrades?.accepts(request) === true && headerBytesOf(request) <= MAX_HEADER_BYTES;
      },
    },
    (request, response) => {
      useOriginForm(request);
      const bytes = headerBytesOf(request);
      if (bytes > MAX_HEADER_BYTES) refuseTooLarge(request, response, bytes);
      else handle(request, response);
    },
  );
  if (upgrades !== null) {
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      upgrades.handle(request, socket, head);
    });
  }
  // The parser gave up before it knew all headers, so the answer depends on the last bytes alone.
  hardenServer(server, options.times ?? {}, (packet, address) => {
    logTooLarge(packet.length, address);
    const [, origin] = ORIGIN_LINE.exec(packet.toString('latin1')) ?? [];
    const body = JSON.stringify(wrappedRefusal(tooLarge('too many bytes')));
    if (origin === undefined) return { headers: [['access-control-allow-origin', '*']], body };
    return { headers: allowOrigin(origin, '') ? corsHeaders(origin) : [], body };
  });
  return server;
}

const ORIGIN_LINE = /\r\norigin:[ \t]*([^\s]+)[ \t]*\r\n/i;

/** SockJS clients send requests with credentials. */
function corsHeaders(origin: string): readonly (readonly [name: string, value: string])[] {
  return [
    ['access-control-allow-origin', origin],
    ['access-control-allow-credentials', 'true'],
  ];
}

function tooLarge(size: string): Refusal {
  return new Refusal('too-large', `the headers of the request have ${size}; the limit is ${MAX_HEADER_BYTES} bytes`);
}
