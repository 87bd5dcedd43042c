import { createSockJs, type SockJs } from '../adapters/sockjs/sock-js.ts';
import type { StompEndpoint } from '../adapters/stomp/endpoint.ts';
import { SUB_PROTOCOLS } from '../adapters/stomp/version.ts';
import type { SystemTelemetry } from '../adapters/system/telemetry.ts';
import { AddressLimit } from '../adapters/transport/address-limit.ts';
import type { Connection } from '../adapters/transport/connection.ts';
import type { RequestClients } from '../adapters/transport/request-clients.ts';
import type { AllLimits } from './config/config.ts';

/** Where clients find STOMP, over SockJS or a raw WebSocket. */
export const PREFIX = '/my-chat';

/** What a frame may grow to inside of WebSocket or SockJS, so that STOMP can still say that it is too large. */
const WIRE_FACTOR = 4;
/** Name under which a connection keeps how its client addressed this server. */
const BASE = 'x-base-url';

/** Hangs the STOMP endpoint into SockJS. */
export function mountStomp(parts: {
  limits: AllLimits;
  stomp: StompEndpoint;
  clients: RequestClients;
  allowOrigin: (origin: string | undefined, host: string) => boolean;
  telemetry: SystemTelemetry;
}): SockJs {
  const { limits, stomp, clients, allowOrigin, telemetry } = parts;
  const addresses = new AddressLimit(limits.connectionsPerAddress);
  return createSockJs({
    prefix: PREFIX,
    maxPayload: limits.frameBytes * WIRE_FACTOR,
    maxQueuedBytes: limits.outgoingBytes,
    keepHeaders: [BASE],
    selectProtocol: (offered) => SUB_PROTOCOLS.find((name) => offered.has(name)),
    addressOf: (request) => {
      const { address, scheme, host } = clients.of(request);
      // Asked before the headers are kept; in one word, so that nothing else of the request has to be.
      request.headers[BASE] = host === '' ? '' : interned(`${scheme}://${host}`);
      return address;
    },
    allowOrigin: (origin, request) => allowOrigin(origin, clients.of(request).host),
    onConnection: (connection: Connection) => addresses.admit(connection, () => stomp.accept(connection)),
    onError: (error) => telemetry.log('error', 'a connection failed', { error }),
  });
}

/** What the links of a connection's files begin with. */
export function baseUrlOf({ headers }: Connection): string {
  return headers[BASE] ?? '';
}

const MOST_INTERNED = 1_000;
const texts = new Map<string, string>();

/** One string object for all connections that came in by the same name. */
function interned(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size < MOST_INTERNED) texts.set(text, text);
  return text;
}
