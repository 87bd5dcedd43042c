/**
 * Judges a recorded run: every send, receipt and delivery in the order in which one process saw
 * them, and the history and log at the end. It knows nothing of how the servers work.
 */

export type RunRecord =
  /**
   * A client sends a message, an edit or a deletion to a server. It may send the same nonce again.
   */
  | { readonly what: 'sent'; readonly nonce: string; readonly place: string }
  /** The server acknowledges it. */
  | {
      readonly what: 'acked';
      readonly nonce: string;
      readonly place: string;
      readonly seq: number;
      readonly id: string;
    }
  /**
   * A subscriber begins at `from`: the events after that number must come. null: the first event
   * that comes decides.
   */
  | { readonly what: 'subscribed'; readonly subscriber: string; readonly place: string; readonly from: number | null }
  /** The subscriber got `reset`. */
  | { readonly what: 'reset'; readonly subscriber: string; readonly place: string; readonly seq: number }
  | {
      readonly what: 'delivered';
      readonly subscriber: string;
      readonly place: string;
      readonly seq: number;
      readonly id: string;
      readonly nonce: string | null;
    };

/** A message in the history of a place. */
export interface FinalEvent {
  readonly seq: number;
  readonly id: string;
  readonly nonce: string | null;
  readonly content: string;
}

/** An event in the replay of a subscription from 0. */
export interface LoggedEvent {
  readonly kind: 'create' | 'modify' | 'delete';
  readonly seq: number;
  readonly id: string;
  readonly nonce: string | null;
  /** Empty for a deletion, and for a message that was deleted later. */
  readonly content: string;
}

export interface Run {
  readonly records: readonly RunRecord[];
  /** The history of each place at the end, oldest message first. */
  readonly history: ReadonlyMap<string, readonly FinalEvent[]>;
  /** The log of each place at the end, from the first event on. */
  readonly log: ReadonlyMap<string, readonly LoggedEvent[]>;
  /** Newest number of each place at the end. */
  readonly newest: ReadonlyMap<string, number>;
  /**
   * Subscribers that were connected long enough at the end to have all events. The others may lag.
   */
  readonly complete: ReadonlySet<string>;
}

export type Fault =
  | 'acknowledged but not stored'
  | 'stored twice'
  | 'acknowledged under two numbers'
  | 'acknowledged earlier, numbered later'
  | 'log not dense'
  | 'history and log disagree'
  | 'delivered twice or out of order'
  | 'gap'
  | 'two orders'
  | 'missing at the end'
  | 'delivered but never stored';

export interface Finding {
  readonly fault: Fault;
  readonly detail: string;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly acknowledged: number;
  readonly deliveries: number;
  /** Number of subscriptions, and of those that resumed after a number. */
  readonly subscriptions: number;
  readonly resumes: number;
  readonly resets: number;
}

type Say = (fault: Fault, detail: string) => void;

const MAX_FINDINGS = 100;

export function check(run: Run): Verdict {
  const findings: Finding[] = [];
  const say: Say = (fault, detail) => {
    if (findings.length < MAX_FINDINGS) findings.push({ fault, detail });
  };
  const stored = readLog(run, say);
  compareHistory(run, say);
  const acknowledged = checkReceipts(run.records, stored, say);
  return { findings, acknowledged, ...checkDeliveries(run, say) };
}

/** Checks the log, and returns its events by nonce. */
function readLog(run: Run, say: Say): ReadonlyMap<string, LoggedEvent & { place: string }> {
  const stored = new Map<string, LoggedEvent & { place: string }>();
  for (const [place, newest] of run.newest) {
    const events = run.log.get(place) ?? [];
    for (const [i, event] of events.entries()) {
      if (event.seq !== i + 1) say('log not dense', `${place}: event ${event.seq} at position ${i + 1}`);
      if (event.nonce === null) continue;
      if (stored.has(event.nonce)) say('stored twice', `${place} ${event.seq} ${event.nonce}`);
      stored.set(event.nonce, { ...event, place });
    }
    if (events.length !== newest) say('log not dense', `${place}: ${events.length} events, newest is ${newest}`);
  }
  return stored;
}

/** Checks that the history equals the result of the log. */
function compareHistory(run: Run, say: Say): void {
  for (const [place, events] of run.log) {
    const expected = new Map<string, FinalEvent>();
    for (const { kind, id, seq, nonce, content } of events) {
      const known = expected.get(id);
      if (kind === 'create') expected.set(id, { seq, id, nonce, content });
      else if (kind === 'delete') expected.delete(id);
      else if (known !== undefined) expected.set(id, { ...known, content });
    }
    const shown = run.history.get(place) ?? [];
    const wanted = [...expected.values()];
    for (let i = 0; i < Math.max(shown.length, wanted.length); i++) {
      const [is, should] = [JSON.stringify(sorted(shown[i])), JSON.stringify(sorted(wanted[i]))];
      if (is === should) continue;
      say('history and log disagree', `${place}, message ${i}: ${is} instead of ${should}`);
      break;
    }
  }
}

function sorted(event: FinalEvent | undefined) {
  return event && [event.seq, event.id, event.nonce, event.content];
}

function checkReceipts(
  records: readonly RunRecord[],
  stored: ReadonlyMap<string, LoggedEvent & { place: string }>,
  say: Say,
): number {
  const acks = new Map<string, { seq: number; id: string }>();
  /**
   * For each nonce, the greatest number that was acknowledged before its first send. Its own number
   * must be greater.
   */
  const floor = new Map<string, number>();
  const acknowledged = new Map<string, number>();
  for (const record of records) {
    if (record.what === 'sent') {
      if (!floor.has(record.nonce)) floor.set(record.nonce, acknowledged.get(record.place) ?? 0);
    } else if (record.what === 'acked') {
      const { nonce, place, seq, id } = record;
      const earlier = acks.get(nonce);
      if (earlier !== undefined && (earlier.seq !== seq || earlier.id !== id)) {
        say('acknowledged under two numbers', `${nonce}: ${earlier.seq} and ${seq}`);
      }
      acks.set(nonce, record);
      const kept = stored.get(nonce);
      if (kept === undefined || kept.seq !== seq || kept.id !== id || kept.place !== place) {
        say('acknowledged but not stored', `${place} ${seq} ${nonce}`);
      }
      const least = floor.get(nonce) ?? 0;
      if (seq <= least)
        say('acknowledged earlier, numbered later', `${place}: ${nonce} got ${seq}, sent after ${least}`);
      acknowledged.set(place, Math.max(seq, acknowledged.get(place) ?? 0));
    }
  }
  return acks.size;
}

function checkDeliveries(run: Run, say: Say): Omit<Verdict, 'findings' | 'acknowledged'> {
  const order = new Map<string, string>();
  for (const [place, events] of run.log) {
    for (const { seq, id, nonce } of events) order.set(`${place} ${seq}`, `${id} ${nonce}`);
  }
  /** The last number that each subscriber of a place got. */
  const at = new Map<string, number | null>();
  const counts = { deliveries: 0, subscriptions: 0, resumes: 0, resets: 0 };
  for (const record of run.records) {
    if (record.what === 'sent' || record.what === 'acked') continue;
    const key = `${record.subscriber} ${record.place}`;
    const last = at.get(key) ?? null;
    switch (record.what) {
      case 'subscribed':
        counts.subscriptions += 1;
        if (record.from !== null) counts.resumes += 1;
        // A subscriber must resume from the last number that it got. It never gets the events that
        // it skips.
        if (last !== null && (record.from === null || record.from > last)) {
          say('gap', `${key}: resumed at ${record.from} after ${last}`);
        }
        at.set(key, record.from);
        break;
      case 'reset':
        counts.resets += 1;
        at.set(key, record.seq);
        break;
      case 'delivered': {
        counts.deliveries += 1;
        if (last !== null && record.seq <= last) {
          say('delivered twice or out of order', `${key}: ${record.seq} after ${last}`);
        } else if (last !== null && record.seq !== last + 1) {
          say('gap', `${key}: ${record.seq} after ${last}`);
        }
        at.set(key, Math.max(record.seq, last ?? 0));
        const spot = `${record.place} ${record.seq}`;
        const what = `${record.id} ${record.nonce}`;
        const known = order.get(spot);
        if (known === undefined) say('delivered but never stored', `${spot}: ${what}`);
        else if (known !== what) say('two orders', `${spot}: ${known} and ${what}`);
        break;
      }
    }
  }
  for (const [key, last] of at) {
    const [subscriber = '', place = ''] = key.split(' ');
    const newest = run.newest.get(place) ?? 0;
    if (run.complete.has(subscriber) && last !== null && last < newest) {
      say('missing at the end', `${key}: ${last} of ${newest}`);
    }
  }
  return counts;
}
