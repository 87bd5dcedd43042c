import { Refusal } from '../../../domain/errors.ts';
import { type ConversationKey, isCommunity, type PlaceKey } from '../../../domain/place.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Feed } from '../../ordering/feed.ts';
import type { Feeds } from '../../ordering/feeds.ts';
import type { ReplaySink } from '../../ports/local-subscribers.ts';
import type { ResumeResult, Telemetry } from '../../ports/telemetry.ts';

export interface Subscription {
  readonly place: PlaceKey;
  readonly lastSeq: number | null;
  readonly sink: ReplaySink;
}

export interface SubscribeParts {
  readonly membership: Membership;
  readonly feeds: Feeds;
  /** The largest number of events that a replay may have. */
  readonly window: number;
  readonly telemetry: Telemetry;
}

interface Resume {
  readonly result: ResumeResult;
  /** Number of the last event that the client has then. */
  readonly seq: number;
}

/**
 * Makes a subscription live, after a replay of the events that the client missed. The subscription
 * becomes live in the same tick in which the replay reaches the newest event that was delivered to
 * live subscriptions. So no event is lost and none comes twice.
 */
export class Subscribe {
  readonly #parts: SubscribeParts;

  constructor(parts: SubscribeParts) {
    this.#parts = parts;
  }

  execute(caller: Caller, { place, lastSeq, sink }: Subscription): MaybePromise<Accepted<{ seq: number }>> {
    if (lastSeq !== null && isCommunity(place)) {
      throw new Refusal('bad-input', `${place} has no numbered events, so a subscription cannot resume there`);
    }
    const { membership, feeds } = this.#parts;
    return whenReady(membership.require(caller, place), () => {
      sink.admitted();
      if (isCommunity(place)) {
        sink.live();
        return { result: Promise.resolve({ seq: 0 }) };
      }
      const open = feeds.get(place);
      if (lastSeq === null)
        return whenReady(open ?? feeds.open(place), (feed) => ({ result: Promise.resolve(goLive(feed, sink)) }));
      return { result: this.#replay(place, lastSeq, sink) };
    });
  }

  async #replay(place: ConversationKey, lastSeq: number, sink: ReplaySink): Promise<{ seq: number }> {
    let [result, events]: [ResumeResult, number] = ['failed', 0];
    try {
      const resume = await this.#bringUpToDate(place, lastSeq, sink, () => {
        events += 1;
      });
      result = resume.result;
      return { seq: resume.seq };
    } finally {
      this.#parts.telemetry.observe({ kind: 'resume', result, events });
    }
  }

  /** @param sent called for each event that is replayed */
  async #bringUpToDate(place: ConversationKey, lastSeq: number, sink: ReplaySink, sent: () => void): Promise<Resume> {
    const { feeds, window } = this.#parts;
    const feed = await feeds.open(place);
    // From another server or from the history, the client may know events that have not reached
    // this server yet.
    await feed.catchUp();
    if (lastSeq > feed.position || feed.position - lastSeq > window) {
      return this.#reset(feed, sink);
    }
    let at = lastSeq;
    while (at < feed.position) {
      const missed = await feed.since(at);
      if (missed === null) return this.#reset(feed, sink);
      for (const event of missed) {
        // Other replays may fill the same connection, so every event checks again.
        if (sink.isFull) break;
        if (event.kind !== 'unknown') {
          sink.event(event);
          sent();
        }
        at = event.seq;
      }
      // From here to `live` below nothing may await, unless the loop runs again.
      if (at < feed.position && !(await sink.drained())) return { result: 'broken', seq: at };
    }
    return { result: 'replayed', ...goLive(feed, sink) };
  }

  /** A replay is not possible: the client has to start over from the newest event. */
  #reset(feed: Feed, sink: ReplaySink): Resume {
    sink.reset(feed.position);
    return { result: 'reset', ...goLive(feed, sink) };
  }
}

function goLive(feed: Feed, sink: ReplaySink): { seq: number } {
  sink.live();
  return { seq: feed.position };
}
