import type { IncomingMessage } from 'node:http';

/** Everything that a connection keeps of the request that began it. */
export interface Identity {
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface IdentityOptions {
  readonly addressOf: (request: IncomingMessage) => string;
  readonly keepHeaders: readonly string[];
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

export function identityOf(request: IncomingMessage, options: IdentityOptions): Identity {
  return { remoteAddress: options.addressOf(request), headers: keptHeaders(request, options.keepHeaders) };
}

function keptHeaders(request: IncomingMessage, names: readonly string[]): Readonly<Record<string, string>> {
  const kept: [string, string][] = [];
  for (const name of names) {
    const value = request.headers[name];
    if (value !== undefined) kept.push([name, Array.isArray(value) ? value.join(', ') : value]);
  }
  return kept.length === 0 ? NO_HEADERS : Object.fromEntries(kept);
}
