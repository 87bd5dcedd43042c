import type { IncomingMessage } from 'node:http';
import { type Client, clientOf } from '../adapters/http/client-address.ts';
import type { Networks } from '../adapters/http/networks.ts';

/** Who makes a request: by its socket and the headers of trusted proxies, or by the word of the sibling process that passed it on. */
export class RequestClients {
  readonly #trusted: Networks;
  readonly #told = new WeakMap<IncomingMessage, Client>();

  constructor(trusted: Networks) {
    this.#trusted = trusted;
  }

  of(request: IncomingMessage): Client {
    const { socket } = request;
    const peer = { address: socket.remoteAddress, encrypted: 'encrypted' in socket };
    return this.#told.get(request) ?? clientOf(this.#trusted, peer, request.headers);
  }

  /** Another worker took the request from this client. */
  tell(request: IncomingMessage, client: Client): void {
    this.#told.set(request, client);
  }
}
