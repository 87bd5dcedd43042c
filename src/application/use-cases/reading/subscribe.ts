import { Refusal } from '../../../domain/errors.ts';
import { type ConversationKey, isCommunity, type PlaceKey } from '../../../domain/place.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Feed } from '../../ordering/feed.ts';
import type { Feeds } from '../../ordering/feeds.ts';
import type { ReplaySink } from '../../ports/local-subscribers.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

export interface Subscription {
  readonly place: PlaceKey;
  readonly lastSeq: number | null;
  readonly sink: ReplaySink;
}

/**
 * Makes a subscription live, after what it missed. The step from replay to live is taken in the very tick in which the replay reached the last event
 * that the live ones were given: nothing falls between, nothing comes twice.
 */
export class Subscribe {
  readonly #membership: Membership;
  readonly #feeds: Feeds;
  readonly #window: number;
  readonly #telemetry: Telemetry;

  constructor(parts: { membership: Membership; feeds: Feeds; window: number; telemetry: Telemetry }) {
    this.#membership = parts.membership;
    this.#feeds = parts.feeds;
    this.#window = parts.window;
    this.#telemetry = parts.telemetry;
  }

  execute(caller: Caller, { place, lastSeq, sink }: Subscription): MaybePromise<Accepted<{ seq: number }>> {
    if (lastSeq !== null && isCommunity(place)) {
      throw new Refusal('bad-input', 'only rooms and channels have numbered events');
    }
    return whenReady(this.#membership.require(caller, place), () => {
      sink.admitted();
      if (isCommunity(place)) {
        sink.live();
        return { result: Promise.resolve({ seq: 0 }) };
      }
      const open = this.#feeds.get(place);
      if (lastSeq === null) return whenReady(open ?? this.#feeds.open(place), (feed) => joined(feed, sink));
      return { result: this.#replay(place, lastSeq, sink) };
    });
  }

  async #replay(key: ConversationKey, lastSeq: number, sink: ReplaySink): Promise<{ seq: number }> {
    const feed = await this.#feeds.open(key);
    this.#telemetry.count('resumes');
    // The client may have heard more on another server, or read more from the history, than has come here yet.
    await feed.catchUp();
    if (lastSeq > feed.position || feed.position - lastSeq > this.#window) {
      return this.#reset(feed, sink);
    }
    let at = lastSeq;
    while (at < feed.position) {
      const missed = await feed.since(at);
      if (missed === null) return this.#reset(feed, sink);
      for (const event of missed) {
        // Others may fill the same connection: looked at before each event, not once a while.
        if (sink.isFull) break;
        if (event.kind !== 'unknown') sink.event(event);
        at = event.seq;
      }
      // Between here and `live` below nothing may wait, unless the loop goes round again.
      if (at < feed.position && !(await sink.drained())) return { seq: at };
    }
    return joinedAt(feed, sink);
  }

  /** The replay is not possible: the client is to start over from the feed's position. */
  #reset(feed: Feed, sink: ReplaySink): { seq: number } {
    this.#telemetry.count('resets');
    sink.reset(feed.position);
    return joinedAt(feed, sink);
  }
}

function joinedAt(feed: Feed, sink: ReplaySink): { seq: number } {
  sink.live();
  return { seq: feed.position };
}

function joined(feed: Feed, sink: ReplaySink): Accepted<{ seq: number }> {
  return { result: Promise.resolve(joinedAt(feed, sink)) };
}
