import { framesOf, type ShownFrame } from './frames.ts';
import type { Carried } from './line.ts';

/** What the inspector says about a row. */
export type Note =
  | { readonly kind: 'none' }
  /** A command waits for its receipt. */
  | { readonly kind: 'waiting' }
  /** The receipt of a command has come. */
  | { readonly kind: 'stored'; readonly seq: number | null; readonly ms: number }
  /** The same nonce was sent before. */
  | { readonly kind: 'again'; readonly times: number }
  /** A subscription asks for everything after a number. */
  | { readonly kind: 'resuming'; readonly from: number }
  /** It has got everything. */
  | { readonly kind: 'resumed'; readonly missed: number; readonly ms: number }
  /** The event of an own command. */
  | { readonly kind: 'own' }
  | { readonly kind: 'refused'; readonly code: number; readonly message: string }
  /** The line lost it. */
  | { readonly kind: 'lost' };

/** A row of the inspector. Rows are never changed: a new one with the same key takes its place. */
export interface Row {
  readonly key: number;
  readonly at: number;
  readonly from: Carried['from'];
  /** Such as `message`, `SUBSCRIBE`, `RECEIPT`, `cut`. */
  readonly what: string;
  /** `r-5`, `c-11`, `com-1`; null for frames of no place. */
  readonly place: string | null;
  readonly seq: number | null;
  readonly nonce: string | null;
  readonly note: Note;
}

export interface Totals {
  readonly sent: number;
  readonly received: number;
  readonly beats: number;
  /** Connections that were opened. */
  readonly connections: number;
  /** Events that came by resuming. */
  readonly missed: number;
}

interface Waiting {
  readonly key: number;
  readonly at: number;
  readonly isSubscription: boolean;
  readonly id: string;
}

interface Subscription {
  readonly place: string | null;
  /** Counts the events until its receipt; null after it, and without `last-seq`. */
  replayed: number | null;
}

const MAX_ROWS = 300;
/** Nonces whose repeats are recognised. */
const MAX_NONCES = 500;
const TOPICS: Readonly<Record<string, string>> = { direct: 'r', group: 'c', community: 'com' };
const NONE: Note = { kind: 'none' };

/** Reads what a line carries into rows: numbers, receipts, nonces and resumes. */
export class InspectorLog {
  #rows: Row[] = [];
  #totals: Totals = { sent: 0, received: 0, beats: 0, connections: 0, missed: 0 };
  #lastKey = 0;
  readonly #waiting = new Map<string, Waiting>();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #nonces = new Map<string, number>();

  /** Oldest first; at most 300. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  get totals(): Totals {
    return this.#totals;
  }

  /** The places of the rows, in order. */
  get places(): string[] {
    return [...new Set(this.#rows.map(({ place }) => place))].filter((place) => place !== null).sort();
  }

  clear(): void {
    this.#rows = [];
  }

  take(carried: Carried): void {
    if (carried.from === 'line') {
      if (carried.text === 'open') this.#count('connections');
      // Receipts of an ended connection never come.
      if (carried.text === 'closed') {
        this.#waiting.clear();
        this.#subscriptions.clear();
      }
      this.#add(carried, { what: carried.text });
      return;
    }
    const frames = framesOf(carried.text);
    if (frames.length === 0) this.#count('beats');
    for (const frame of frames) {
      this.#count(carried.from === 'page' ? 'sent' : 'received');
      if (!carried.arrived) this.#add(carried, { what: kindOf(frame), ...factsOf(frame), note: { kind: 'lost' } });
      else if (carried.from === 'page') this.#sent(carried, frame);
      else this.#received(carried, frame);
    }
  }

  #sent(carried: Carried, frame: ShownFrame): void {
    const { command, headers, body } = frame;
    const destination = headers.get('destination') ?? '';
    const place = placeOfTopic(destination) ?? placeOfSend(destination, body);
    const nonce = typeof body.nonce === 'string' ? body.nonce : null;
    const from = headers.get('last-seq');
    let note: Note = headers.has('receipt') ? { kind: 'waiting' } : NONE;
    if (from !== undefined) note = { kind: 'resuming', from: Number(from) };
    if (nonce !== null) {
      const times = (this.#nonces.get(nonce) ?? 0) + 1;
      this.#nonces.set(nonce, times);
      const [oldest] = this.#nonces.keys();
      if (this.#nonces.size > MAX_NONCES && oldest !== undefined) this.#nonces.delete(oldest);
      if (times > 1) note = { kind: 'again', times };
    }
    const key = this.#add(carried, { what: kindOf(frame), place, nonce, note });
    const receipt = headers.get('receipt');
    const id = headers.get('id') ?? '';
    const isSubscription = command === 'SUBSCRIBE';
    if (receipt !== undefined) this.#waiting.set(receipt, { key, at: carried.at, isSubscription, id });
    if (isSubscription) this.#subscriptions.set(id, { place, replayed: from === undefined ? null : 0 });
    if (command === 'UNSUBSCRIBE') this.#subscriptions.delete(id);
  }

  #received(carried: Carried, frame: ShownFrame): void {
    const { command, headers, body } = frame;
    const receipt = headers.get('receipt-id') ?? (typeof body['receipt-id'] === 'string' ? body['receipt-id'] : null);
    const waiting = receipt === null ? undefined : this.#waiting.get(receipt);
    if (receipt !== null) this.#waiting.delete(receipt);
    if (command === 'RECEIPT') {
      const seq = numberOf(headers.get('seq'));
      const row = waiting === undefined ? undefined : this.#rowOf(waiting.key);
      const ms = waiting === undefined ? 0 : carried.at - waiting.at;
      this.#add(carried, { what: 'RECEIPT', place: row?.place ?? null, seq, nonce: row?.nonce ?? null });
      if (waiting !== undefined) this.#answer(waiting, seq, ms);
      return;
    }
    if (command === 'ERROR' || typeof body.code === 'number') {
      const code = numberOf(body.code ?? headers.get('code')) ?? 0;
      const note: Note = { kind: 'refused', code, message: String(body.message ?? headers.get('message') ?? '') };
      if (waiting !== undefined) this.#note(waiting.key, note);
      this.#add(carried, { what: command === 'ERROR' ? 'ERROR' : 'refusal', note });
      return;
    }
    const subscription = this.#subscriptions.get(headers.get('subscription') ?? '');
    const facts = factsOf(frame);
    if (subscription?.replayed != null && facts.seq !== null && body.type !== 'reset') subscription.replayed += 1;
    const isOwn = facts.nonce !== null && this.#nonces.has(facts.nonce);
    const place = subscription?.place ?? facts.place;
    this.#add(carried, { what: kindOf(frame), ...facts, place, note: isOwn ? { kind: 'own' } : NONE });
  }

  /** The answer to a command or subscription is noted in its row. */
  #answer({ key, isSubscription, id }: Waiting, seq: number | null, ms: number): void {
    const subscription = isSubscription ? this.#subscriptions.get(id) : undefined;
    if (subscription?.replayed != null) {
      const missed = subscription.replayed;
      subscription.replayed = null;
      this.#totals = { ...this.#totals, missed: this.#totals.missed + missed };
      this.#note(key, { kind: 'resumed', missed, ms });
    } else this.#note(key, { kind: 'stored', seq, ms });
  }

  #add(
    { at, from }: Carried,
    row: { readonly what: string } & Partial<Pick<Row, 'place' | 'seq' | 'nonce' | 'note'>>,
  ): number {
    const key = ++this.#lastKey;
    const rest = { place: null, seq: null, nonce: null, note: NONE };
    this.#rows = [...this.#rows.slice(1 - MAX_ROWS), { ...rest, ...row, key, at, from }];
    return key;
  }

  #rowOf(key: number): Row | undefined {
    return this.#rows.find((row) => row.key === key);
  }

  #note(key: number, note: Note): void {
    this.#rows = this.#rows.map((row) => (row.key === key ? { ...row, note } : row));
  }

  #count(what: keyof Totals): void {
    this.#totals = { ...this.#totals, [what]: this.#totals[what] + 1 };
  }
}

/** The type of an event or of a SEND, otherwise the command. */
function kindOf({ command, headers, body }: ShownFrame): string {
  if (command === 'MESSAGE' && typeof body.type === 'string') return body.type;
  if (command === 'SEND') return (headers.get('destination') ?? '').replace(/^\/kafka\/(send-(direct|channel)-)?/, '');
  return command;
}

function factsOf({ headers, body }: ShownFrame): Pick<Row, 'place' | 'seq' | 'nonce'> {
  return {
    place: placeOfTopic(headers.get('destination') ?? '') ?? (typeof body.place === 'string' ? body.place : null),
    seq: numberOf(headers.get('seq') ?? body.seq),
    nonce: typeof body.nonce === 'string' ? body.nonce : null,
  };
}

function placeOfTopic(destination: string): string | null {
  const [, kind = '', id] = /^\/topic\/(\w+)\/(\d+)$/.exec(destination) ?? [];
  const prefix = TOPICS[kind];
  return prefix === undefined ? null : `${prefix}-${id}`;
}

function placeOfSend(destination: string, body: ShownFrame['body']): string | null {
  if (typeof body.place === 'string') return body.place;
  if (typeof body.channel_id === 'string') return body.channel_id;
  const [, kind] = /^\/kafka\/send-(direct|channel)-/.exec(destination) ?? [];
  return kind === undefined ? null : `${kind === 'direct' ? 'r' : 'c'}-${body.channelId}`;
}

function numberOf(value: unknown): number | null {
  const number = Number(value);
  return value == null || Number.isNaN(number) ? null : number;
}
