import { createSockJs, type SockJs } from '../adapters/sockjs/sock-js.ts';
import type { StompEndpoint } from '../adapters/stomp/endpoint.ts';
import { SUB_PROTOCOLS } from '../adapters/stomp/version.ts';
import type { SystemTelemetry } from '../adapters/system/telemetry.ts';
import { AddressLimit } from '../adapters/transport/address-limit.ts';
import type { Connection } from '../adapters/transport/connection.ts';
import type { RequestClients } from '../adapters/transport/request-clients.ts';
import type { AllLimits } from './config/config.ts';

/** Path of STOMP over SockJS and over a raw WebSocket. */
export const PREFIX = '/my-chat';

/**
 * A message of WebSocket or SockJS may have this many times the bytes of a STOMP frame. A frame
 * that is too large then still reaches STOMP, which answers by ERROR.
 */
const WIRE_FACTOR = 4;
/** Header in which a connection keeps the address by which its client reached this server. */
const BASE_HEADER = 'x-base-url';

/** Connects the STOMP endpoint with SockJS. */
export function mountStomp(parts: {
  limits: AllLimits;
  stomp: StompEndpoint;
  clients: RequestClients;
  allowOrigin: (origin: string | undefined, host: string) => boolean;
  telemetry: SystemTelemetry;
}): SockJs {
  const { limits, stomp, clients, allowOrigin, telemetry } = parts;
  const addresses = new AddressLimit(limits.connectionsPerAddress, () => stomp.figures.closes.add('1008', 'limit'));
  return createSockJs({
    prefix: PREFIX,
    maxPayload: limits.frameBytes * WIRE_FACTOR,
    maxQueuedBytes: limits.outgoingBytes,
    keepHeaders: [BASE_HEADER],
    selectProtocol: (offered) => SUB_PROTOCOLS.find((name) => offered.has(name)),
    addressOf: (request) => {
      const { address, scheme, host } = clients.of(request);
      // SockJS calls this before it copies the kept headers. One short header is all that is kept
      // of the request.
      request.headers[BASE_HEADER] = host === '' ? '' : interned(`${scheme}://${host}`);
      return address;
    },
    allowOrigin: (origin, request) => allowOrigin(origin, clients.of(request).host),
    onConnection: (connection: Connection) => addresses.admit(connection, () => stomp.accept(connection)),
    onError: (error) => telemetry.log('error', 'a connection failed', { error }),
  });
}

/** Base of the file links of a connection. */
export function baseUrlOf({ headers }: Connection): string {
  return headers[BASE_HEADER] ?? '';
}

const MAX_INTERNED = 1_000;
const texts = new Map<string, string>();

/**
 * Returns one string object for all connections with the same base, so that they share its memory.
 */
function interned(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size < MAX_INTERNED) texts.set(text, text);
  return text;
}
