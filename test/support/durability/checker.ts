/**
 * Judges a recorded run: every send, receipt and delivery, and the history as it is read at the end. Knows nothing of how the servers work.
 */

export type Recorded =
  /** A client gives a message to a server; the same nonce may be given again. */
  | { readonly what: 'sent'; readonly nonce: string; readonly place: string }
  /** The server vouches for it. */
  | {
      readonly what: 'acked';
      readonly nonce: string;
      readonly place: string;
      readonly seq: number;
      readonly id: string;
    }
  /** A subscriber begins anew at `from`: a place's events after it are to come, or, where it is null, whatever comes first decides. */
  | { readonly what: 'subscribed'; readonly subscriber: string; readonly place: string; readonly from: number | null }
  /** The server told the subscriber to start over. */
  | { readonly what: 'reset'; readonly subscriber: string; readonly place: string; readonly seq: number }
  | {
      readonly what: 'delivered';
      readonly subscriber: string;
      readonly place: string;
      readonly seq: number;
      readonly id: string;
      readonly nonce: string | null;
    };

export interface FinalEvent {
  readonly seq: number;
  readonly id: string;
  readonly nonce: string | null;
}

export interface Run {
  readonly records: readonly Recorded[];
  /** Each place's creating events as its history shows them at the end, oldest first. */
  readonly history: ReadonlyMap<string, readonly FinalEvent[]>;
  /** Newest number of each place at the end. */
  readonly newest: ReadonlyMap<string, number>;
  /** Subscribers that were connected at the end, long enough to have everything; the others may lag. */
  readonly complete: ReadonlySet<string>;
}

export type Fault =
  | 'acknowledged but not in the history'
  | 'stored twice'
  | 'acknowledged under two numbers'
  | 'history out of order'
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
  readonly subscriptions: number;
  readonly resets: number;
}

export function check(run: Run): Verdict {
  const findings: Finding[] = [];
  const say = (fault: Fault, detail: string): void => {
    if (findings.length < 100) findings.push({ fault, detail });
  };
  const stored = readHistory(run, say);
  const acks = new Map<string, { seq: number; id: string }>();
  const order = new Map<string, string>();
  const at = new Map<string, number | null>();
  let deliveries = 0;
  let subscriptions = 0;
  let resets = 0;
  for (const record of run.records) {
    switch (record.what) {
      case 'sent':
        break;
      case 'acked': {
        const earlier = acks.get(record.nonce);
        if (earlier !== undefined && (earlier.seq !== record.seq || earlier.id !== record.id)) {
          say('acknowledged under two numbers', `${record.nonce}: ${earlier.seq} and ${record.seq}`);
        }
        acks.set(record.nonce, record);
        const kept = stored.get(record.nonce);
        if (kept === undefined || kept.seq !== record.seq || kept.id !== record.id || kept.place !== record.place) {
          say('acknowledged but not in the history', `${record.place} ${record.seq} ${record.nonce}`);
        }
        break;
      }
      case 'subscribed':
        {
          subscriptions += 1;
          const key = `${record.subscriber} ${record.place}`;
          const last = at.get(key) ?? null;
          // Who comes back goes on from what he was given; what he skips he never gets.
          if (last !== null && (record.from === null || record.from > last))
            say('gap', `${key}: resumed at ${record.from} after ${last}`);
          at.set(key, record.from);
        }
        break;
      case 'reset':
        resets += 1;
        at.set(`${record.subscriber} ${record.place}`, record.seq);
        break;
      case 'delivered': {
        deliveries += 1;
        const key = `${record.subscriber} ${record.place}`;
        const last = at.get(key) ?? null;
        if (last !== null && record.seq <= last) {
          say('delivered twice or out of order', `${key}: ${record.seq} after ${last}`);
        } else if (last !== null && record.seq !== last + 1) {
          say('gap', `${key}: ${record.seq} after ${last}`);
        }
        at.set(key, Math.max(record.seq, last ?? 0));
        const spot = `${record.place} ${record.seq}`;
        const what = `${record.id} ${record.nonce}`;
        const before = order.get(spot);
        if (before !== undefined && before !== what) say('two orders', `${spot}: ${before} and ${what}`);
        order.set(spot, what);
        if (record.nonce !== null && stored.get(record.nonce)?.seq !== record.seq) {
          say('delivered but never stored', `${spot} ${record.nonce}`);
        }
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
  return { findings, acknowledged: acks.size, deliveries, subscriptions, resets };
}

function readHistory(run: Run, say: (fault: Fault, detail: string) => void) {
  const stored = new Map<string, FinalEvent & { place: string }>();
  for (const [place, events] of run.history) {
    let last = 0;
    for (const event of events) {
      if (event.seq <= last) say('history out of order', `${place}: ${event.seq} after ${last}`);
      last = event.seq;
      if (event.nonce === null) continue;
      if (stored.has(event.nonce)) say('stored twice', `${place} ${event.nonce}`);
      stored.set(event.nonce, { ...event, place });
    }
  }
  return stored;
}
