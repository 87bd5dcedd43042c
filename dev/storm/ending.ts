import { setTimeout as delay } from 'node:timers/promises';
import type { FinalEvent, LoggedEvent } from '../durability/checker.ts';
import type { StompClient } from '../stomp-client.ts';
import { type StormPlace, topicOf } from './people.ts';

const PAGE = 500;
const ATTEMPTS = 20;

type Entry = { readonly id: string; readonly seq: number; readonly nonce: string | null; readonly message: string };

interface Page {
  readonly entries: readonly Entry[];
  /** `chat-seq`: the newest number of the place. */
  readonly newest: number;
}

/** Reads a place's history over HTTP. */
export class HistoryReader {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  async newest(place: StormPlace): Promise<number> {
    return (await this.#page(place, { page: 0, size: 1 })).newest;
  }

  /** Reads by `after=`, from the first message on. */
  async forwards(place: StormPlace): Promise<FinalEvent[]> {
    const all: Entry[] = [];
    for (;;) {
      const { entries } = await this.#page(place, { after: all.at(-1)?.seq ?? 0, size: PAGE });
      if (entries.length === 0) return all.map(final);
      all.push(...entries);
    }
  }

  /** Reads by `page=`, the newest page first. */
  async backwards(place: StormPlace): Promise<FinalEvent[]> {
    const pages: (readonly Entry[])[] = [];
    for (let page = 0; ; page++) {
      const { entries } = await this.#page(place, { page, size: PAGE });
      if (entries.length === 0) return pages.reverse().flat().map(final);
      pages.push(entries);
    }
  }

  #page(place: StormPlace, query: Readonly<Record<string, number>>): Promise<Page> {
    return patiently(() => this.#ask(place, query));
  }

  async #ask(place: StormPlace, query: Readonly<Record<string, number>>): Promise<Page> {
    const params = new URLSearchParams({ ch_id: place.slice(2) });
    for (const [name, value] of Object.entries(query)) params.set(name, String(value));
    const kind = place.startsWith('r') ? 'direct' : 'community';
    const answer = await fetch(`${this.#url}/chat-server/${kind}?${params}`, {
      headers: { AUTHORIZATION: this.#token },
      signal: AbortSignal.timeout(30_000),
    });
    const body = (await answer.json()) as { readonly result: readonly Entry[] };
    if (answer.status !== 200) throw new Error(`history of ${place}: ${JSON.stringify(body)}`);
    return { entries: body.result, newest: Number(answer.headers.get('chat-seq')) };
  }
}

function final({ id, seq, nonce, message }: Entry): FinalEvent {
  return { id, seq, nonce, content: message };
}

/**
 * Resolves with all events of a place, as a subscription from 0 replays them before its RECEIPT.
 */
export function wholeLog(connect: () => Promise<StompClient>, place: StormPlace): Promise<LoggedEvent[]> {
  return patiently(async () => {
    const client = await connect();
    try {
      const { bodies } = await client.subscribe(topicOf(place), { lastSeq: 0 });
      return bodies.filter(({ seq }) => seq !== undefined).map(logged);
    } finally {
      await client.cut();
    }
  });
}

function logged(body: Readonly<Record<string, unknown>>): LoggedEvent {
  const kind = body.type === 'modify' || body.type === 'delete' ? body.type : 'create';
  const nonce = typeof body.nonce === 'string' ? body.nonce : null;
  return { kind, seq: Number(body.seq), id: String(body.id), nonce, content: String(body.message ?? '') };
}

/** Retries: a server that was just repaired may answer `try-again`. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await delay(500);
    }
  }
}
