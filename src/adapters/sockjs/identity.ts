import type { IncomingMessage } from 'node:http';
import type { Settings } from './options.ts';

/** All that a connection remembers of the request that began it. */
export interface Identity {
  readonly remoteAddress: string;
  readonly headers: Readonly<Record<string, string>>;
}

const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

export function identityOf(request: IncomingMessage, settings: Pick<Settings, 'addressOf' | 'keepHeaders'>): Identity {
  return { remoteAddress: settings.addressOf(request), headers: keptHeaders(request, settings.keepHeaders) };
}

function keptHeaders(request: IncomingMessage, names: readonly string[]): Readonly<Record<string, string>> {
  const kept: [string, string][] = [];
  for (const name of names) {
    const value = request.headers[name];
    if (value !== undefined) kept.push([name, Array.isArray(value) ? value.join(', ') : value]);
  }
  return kept.length === 0 ? noHeaders : Object.fromEntries(kept);
}
