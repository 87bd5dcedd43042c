import type { Body, Connection } from './connection.ts';
import type { Entry } from './entry.ts';
import type { Http } from './http.ts';
import type { PlaceKey } from './place-key.ts';
import { Store } from './store.ts';

export interface UnreadCount {
  /** Messages of others that the user has not read. */
  readonly count: number;
  /** The newest number of the place. */
  readonly seq: number;
}

interface Answered extends UnreadCount {
  readonly place: PlaceKey;
  /** A refusal of this place. */
  readonly code?: number;
}

const MAX_PLACES = 200;

/** The counts of unread messages of all places of the user. */
export class Unread extends Store<ReadonlyMap<PlaceKey, UnreadCount>> {
  readonly #http: Http;
  readonly #connection: Connection;
  readonly #userId: () => number | null;
  readonly #counts = new Map<PlaceKey, UnreadCount>();
  /** Numbers of messages that came live; those above the number of an answer are added to it. */
  readonly #arrived = new Map<PlaceKey, readonly number[]>();
  /** Read marks that the server has not confirmed. */
  readonly #marks = new Map<PlaceKey, number>();
  /** Where the user looks. Everything there is read. */
  looksAt: PlaceKey | null = null;

  constructor(http: Http, connection: Connection, userId: () => number | null) {
    super(() => new Map(this.#counts));
    this.#http = http;
    this.#connection = connection;
    this.#userId = userId;
  }

  /** Asks for the counts of these places. @throws Refused, Unanswered */
  async refresh(places: readonly PlaceKey[]): Promise<void> {
    for (let from = 0; from < places.length; from += MAX_PLACES) {
      const asked = new Map(this.#counts);
      const { result } = await this.#http.get('unread', { places: places.slice(from, from + MAX_PLACES).join() });
      for (const { place, count, seq, code } of result as readonly Answered[]) {
        if (code !== undefined) {
          this.forget(place);
          continue;
        }
        const later = (this.#arrived.get(place) ?? []).filter((each) => each > seq);
        this.#arrived.set(place, later);
        const newest = Math.max(seq, ...later);
        // A count that came in the meantime is newer than this answer.
        const known = this.#counts.get(place);
        if (known !== undefined && known !== asked.get(place) && known.seq > newest) continue;
        this.#set(place, { count: count + later.length, seq: newest });
      }
    }
  }

  forget(place: PlaceKey): void {
    this.#counts.delete(place);
    this.#arrived.delete(place);
    this.changed();
  }

  /** An event `unread` of a place to which this connection is not subscribed. */
  heard({ place, count, seq }: Body): void {
    this.#set(place as PlaceKey, { count: Number(count), seq: Number(seq) });
  }

  /** A live message. The server reports no counts of places to which the client is subscribed. */
  arrived(place: PlaceKey, { userId, seq }: Entry): void {
    if (seq === null || userId === this.#userId() || place === this.looksAt) return;
    this.#arrived.set(place, [...(this.#arrived.get(place) ?? []), seq]);
    const known = this.#counts.get(place);
    if (known !== undefined && seq > known.seq) this.#set(place, { count: known.count + 1, seq });
  }

  /** Reports a read mark, after a reconnect again, until the server confirms it. */
  mark(place: PlaceKey, seq: number): void {
    if (seq <= (this.#marks.get(place) ?? 0)) return;
    this.#marks.set(place, seq);
    const known = this.#counts.get(place);
    if (known !== undefined && seq >= known.seq) this.#set(place, { count: 0, seq });
    this.#send(place, seq);
  }

  /** Sends the marks that are not confirmed. */
  resend(): void {
    for (const [place, seq] of this.#marks) this.#send(place, seq);
  }

  async #send(place: PlaceKey, seq: number): Promise<void> {
    try {
      await this.#connection.request('/kafka/read', { place, seq });
      if (this.#marks.get(place) === seq) this.#marks.delete(place);
      if (seq < (this.#counts.get(place)?.seq ?? 0)) await this.refresh([place]);
    } catch {
      // The mark is sent again after the next connect.
    }
  }

  #set(place: PlaceKey, count: UnreadCount): void {
    this.#counts.set(place, place === this.looksAt ? { ...count, count: 0 } : count);
    this.changed();
  }
}
