import type { IncomingMessage } from 'node:http';
import { type Client, clientOf } from './client-address.ts';
import type { Networks } from './networks.ts';

/**
 * Finds the client of a request: from the socket and the headers of trusted proxies. If a sibling
 * process passed the request on, the client is the one that the sibling reported.
 */
export class RequestClients {
  readonly #trustedProxies: Networks;
  readonly #reported = new WeakMap<IncomingMessage, Client>();

  constructor(trustedProxies: Networks) {
    this.#trustedProxies = trustedProxies;
  }

  of(request: IncomingMessage): Client {
    const reported = this.#reported.get(request);
    if (reported !== undefined) return reported;
    const { socket } = request;
    const peer = { address: socket.remoteAddress, encrypted: 'encrypted' in socket };
    return clientOf(this.#trustedProxies, peer, request.headers);
  }

  /** Records that a sibling process received the request from this client. */
  report(request: IncomingMessage, client: Client): void {
    this.#reported.set(request, client);
  }
}
