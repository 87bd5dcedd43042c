import { asRefusal, Refusal } from '../../domain/errors.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { Clock } from '../ports/clock.ts';
import type { AppendBatch, AppendOutcome, MessageStore } from '../ports/message-store.ts';
import type { Spans } from '../ports/spans.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { AppendFailures } from './append-failures.ts';
import { AppendSchedule } from './append-schedule.ts';
import { AppendSpans } from './append-spans.ts';
import { decideBatch } from './decide-batch.ts';
import { KnownPositions } from './known-positions.ts';
import { OverdueCheck } from './overdue-check.ts';
import type { Proposal } from './proposal.ts';
import { answerRepeat, Repeats } from './repeats.ts';

interface Entry {
  readonly proposal: Proposal;
  readonly resolve: (event: StoredEvent) => void;
  readonly reject: (error: Refusal) => void;
  /** Monotonic, in milliseconds. */
  readonly since: number;
  /** Position of the command in a trace, null for none. */
  readonly trace: string | null;
  /** Appends that failed because another server stored an event of the place first. */
  conflicts: number;
  /** It was refused while its append was under way. It must not be appended again. */
  isRefused: boolean;
}

/** The proposals of one place. They wait in `pending` while the place's last batch is under way. */
interface Lane {
  readonly place: ConversationKey;
  pending: Entry[];
  /** A batch is being prepared or written. A second batch of the place must not start. */
  busy: boolean;
}

interface PreparedBatch {
  readonly lane: Lane;
  readonly batch: AppendBatch;
  readonly entries: readonly Entry[];
}

/**
 * Called for each stored batch, in the order of its place, in the same tick in which it is known to
 * be stored. `since` has for each event the monotonic time at which its command was read.
 */
export type AfterCommit = (
  place: ConversationKey,
  events: readonly StoredEvent[],
  since: readonly number[],
  traces?: Traces,
) => void;

/**
 * For each event of a batch its position in a trace, null for an event that is not traced. Null:
 * none of them is.
 */
export type Traces = readonly (string | null)[] | null;

export interface SequencerParts {
  readonly store: MessageStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly afterCommit: AfterCommit;
  /** Null: nothing is traced. */
  readonly spans?: Spans | null;
  /** Appends under way at the same time; 2 by default. */
  readonly maxInFlight?: number;
}

const MAX_BATCH_EVENTS = 256;
const MAX_APPEND_EVENTS = 1024;
/** Proposals that may wait. A further one is refused with `try-again`. */
const MAX_WAITING = 50_000;
/** Conflicts with other servers that a proposal may meet before it is refused. */
const MAX_CONFLICTS = 100;

/**
 * Turns proposals into numbered, stored events.
 *
 * Proposals for a place gather while its last batch is being written and go out as the next batch.
 * All places that are ready share one round trip. The next number comes from
 * {@link KnownPositions}; where it is wrong, the store answers `conflict`, the newest number is
 * read, and the batch is decided again.
 *
 * A rule that depends on another message (the author of an edited message, the parent of a reply)
 * is decided against the state at exactly that point of the order: the target is read after the
 * position is known.
 */
export class Sequencer {
  readonly #parts: SequencerParts;
  readonly #schedule: AppendSchedule;
  readonly #repeats: Repeats;
  readonly #failures: AppendFailures;
  readonly #overdue: OverdueCheck;
  readonly #positions = new KnownPositions();
  readonly #lanes = new Map<ConversationKey, Lane>();
  #prepared: PreparedBatch[] = [];
  readonly #underWay = new Set<PreparedBatch>();
  #waiting = 0;
  #idle: (() => void)[] = [];

  constructor(parts: SequencerParts) {
    this.#parts = parts;
    this.#repeats = new Repeats(parts.store);
    this.#failures = new AppendFailures(parts);
    this.#overdue = new OverdueCheck({
      clock: parts.clock,
      isNeeded: () => this.#failures.isFailing && this.#waiting > 0,
      refuse: (limit) => this.#refuseOverdue(limit),
    });
    this.#schedule = new AppendSchedule({
      clock: parts.clock,
      maxInFlight: parts.maxInFlight ?? 2,
      interval: parts.store.pace,
      waitFor: (events) => this.#waitFor(events),
      begin: (full) => {
        if (full) this.#prepareAll();
        this.#write();
      },
    });
  }

  /**
   * Adds a proposal to its place's order, in the order of calls. Resolves when the event is stored.
   * A proposal that repeats a nonce resolves to the event of the first proposal. Rejects with a
   * Refusal: the proposal's own, `try-again` or `store-failed`.
   */
  append(proposal: Proposal): Promise<StoredEvent> {
    return this.#repeats.once(proposal, () => this.#enter(proposal));
  }

  /** Notes that another server has stored events of this place up to `seq`. */
  heard(place: ConversationKey, seq: number): void {
    this.#positions.heard(place, seq);
  }

  /** Resolves when nothing waits or is under way. */
  async idle(): Promise<void> {
    if (this.#waiting === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #enter(proposal: Proposal): Promise<StoredEvent> {
    if (this.#waiting >= MAX_WAITING) {
      return Promise.reject(new Refusal('try-again', 'too many messages wait to be stored; send it again later'));
    }
    return new Promise((resolve, reject) => {
      let lane = this.#lanes.get(proposal.place);
      if (lane === undefined) {
        lane = { place: proposal.place, pending: [], busy: false };
        this.#lanes.set(proposal.place, lane);
      }
      this.#waiting += 1;
      const spans = this.#parts.spans ?? null;
      const trace = spans === null ? null : spans.current();
      lane.pending.push({
        proposal,
        resolve,
        reject,
        since: this.#parts.clock.monotonic(),
        trace,
        conflicts: 0,
        isRefused: false,
      });
      // An append is the work of many commands.
      if (spans === null || trace === null) this.#schedule.request();
      else spans.outside(() => this.#schedule.request());
    });
  }

  /** True when at least this many proposals wait in places that have no batch under way. */
  #waitFor(events: number): boolean {
    let waiting = 0;
    for (const { busy, pending } of this.#lanes.values()) {
      if (!busy) waiting += pending.length;
      if (waiting >= events) return true;
    }
    return false;
  }

  #prepareAll(): void {
    const unknown: Lane[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.busy || lane.pending.length === 0) continue;
      lane.busy = true;
      if (this.#positions.get(lane.place) === undefined) unknown.push(lane);
      else this.#prepare(lane);
    }
    if (unknown.length > 0) void this.#readPositions(unknown);
  }

  /** Reads the newest numbers of these places in one query, then prepares their batches. */
  async #readPositions(lanes: readonly Lane[]): Promise<void> {
    try {
      const newest = await this.#parts.store.newest(lanes.map((lane) => lane.place));
      for (const lane of lanes) this.#positions.learn(lane.place, newest.get(lane.place) ?? 0);
    } catch (error) {
      const refusal = asRefusal(error);
      for (const lane of lanes) {
        this.#refuse(lane.pending.splice(0), refusal);
        this.#release(lane);
      }
      return;
    }
    for (const lane of lanes) this.#prepare(lane);
    this.#write();
  }

  #prepare(lane: Lane): void {
    const entries = lane.pending.splice(0, MAX_BATCH_EVENTS);
    const targets = new Set<MessageId>();
    for (const { proposal } of entries) if (proposal.target !== null) targets.add(proposal.target);
    if (targets.size === 0) this.#decide(lane, entries, new Map());
    else void this.#readTargets(lane, entries, [...targets]);
  }

  async #readTargets(lane: Lane, entries: readonly Entry[], targets: readonly MessageId[]): Promise<void> {
    try {
      this.#decide(lane, entries, await this.#parts.store.messages(lane.place, targets));
    } catch (error) {
      this.#refuse(entries, asRefusal(error));
      this.#release(lane);
    }
    this.#write();
  }

  #decide(lane: Lane, waiting: readonly Entry[], messages: Map<MessageId, Message>): void {
    const first = (this.#positions.get(lane.place) ?? 0) + 1;
    const { entries, drafts, refused } = decideBatch(waiting, messages);
    for (const { entry, refusal } of refused) void this.#refuseUnlessRepeated(entry, refusal);
    if (drafts.length === 0) this.#release(lane);
    else {
      const isMovable = entries.every(({ proposal }) => proposal.target === null);
      this.#prepared.push({ lane, batch: { place: lane.place, first, drafts, isMovable }, entries });
    }
  }

  #write(): void {
    while (this.#prepared.length > 0 && this.#schedule.hasRoom) {
      const round: PreparedBatch[] = [];
      let events = 0;
      for (const prepared of this.#prepared) {
        if (events > 0 && events + prepared.entries.length > MAX_APPEND_EVENTS) break;
        events += prepared.entries.length;
        round.push(prepared);
      }
      this.#prepared = this.#prepared.slice(round.length);
      void this.#append(round, events);
    }
  }

  async #append(round: readonly PreparedBatch[], events: number): Promise<void> {
    const { clock, store, telemetry } = this.#parts;
    const began = clock.monotonic();
    for (const prepared of round) this.#underWay.add(prepared);
    this.#schedule.began();
    const spans = AppendSpans.begin(this.#parts.spans ?? null, round);
    let outcomes: AppendOutcome[];
    try {
      outcomes = await store.append(spans === null ? round.map(({ batch }) => batch) : spans.batches);
    } catch (error) {
      outcomes = round.map(() => ({ kind: 'failed', error: asRefusal(error) }));
    }
    // Before the events are handed out: the store works on the next append while the frames of this
    // one are written to the sockets.
    spans?.end(outcomes);
    for (const prepared of round) this.#underWay.delete(prepared);
    this.#schedule.ended();
    telemetry.observe({ kind: 'append', seconds: (clock.monotonic() - began) / 1_000, events });
    for (const [i, prepared] of round.entries()) {
      this.#settle(prepared, outcomes[i] ?? { kind: 'failed', error: new Error('the store gave no outcome') });
    }
  }

  #settle(prepared: PreparedBatch, outcome: AppendOutcome): void {
    const { lane, batch, entries } = prepared;
    const { telemetry } = this.#parts;
    switch (outcome.kind) {
      case 'stored':
        this.#stored(prepared, outcome.first ?? batch.first);
        break;
      case 'conflict':
        telemetry.count('append_conflicts');
        // A record of the other server may have brought the position already. Otherwise it is read.
        if ((this.#positions.get(lane.place) ?? 0) < batch.first) this.#positions.forget(lane.place);
        this.#retry(lane, this.#countConflict(entries));
        break;
      case 'repeated': {
        const repeat = entries[outcome.index];
        if (repeat !== undefined) this.#answer(repeat, () => answerRepeat(repeat.proposal, outcome.event));
        this.#retry(
          lane,
          entries.filter((entry) => entry !== repeat),
        );
        break;
      }
      case 'failed':
        // The batch may be stored nevertheless. Then its numbers are taken, and the outbox brings
        // the events to all subscribers.
        this.#failures.failed(lane.place, outcome.error);
        this.#overdue.begin();
        this.#positions.forget(lane.place);
        this.#refuse(entries, outcome.error instanceof Refusal ? outcome.error : noAnswer());
        break;
    }
    this.#release(lane);
  }

  #stored({ lane, batch, entries }: PreparedBatch, first: number): void {
    const { telemetry, afterCommit } = this.#parts;
    const events = batch.drafts.map((draft, i): StoredEvent => ({ ...draft, seq: first + i }));
    this.#positions.learn(lane.place, first + events.length - 1);
    this.#failures.worked();
    telemetry.count('append_batches');
    telemetry.count('events_stored', events.length);
    const since = entries.map((entry) => entry.proposal.readAt ?? entry.since);
    const isTraced = (this.#parts.spans ?? null) !== null && entries.some(({ trace }) => trace !== null);
    afterCommit(lane.place, events, since, isTraced ? entries.map(({ trace }) => trace) : null);
    for (const [i, entry] of entries.entries()) {
      const event = events[i];
      if (event !== undefined) entry.resolve(event);
    }
    this.#done(entries.length);
  }

  #refuseOverdue(limit: number): void {
    const isOverdue = ({ since }: Entry): boolean => since <= limit;
    // An append that is under way may still store its events.
    for (const { entries } of this.#underWay) {
      for (const entry of entries) {
        if (!isOverdue(entry)) continue;
        entry.isRefused = true;
        entry.reject(noAnswer());
      }
    }
    const prepared = this.#prepared;
    this.#prepared = prepared.filter(({ entries }) => !entries.some(isOverdue));
    for (const { lane, entries } of prepared) {
      if (!entries.some(isOverdue)) continue;
      this.#refuse(entries, noAnswer());
      this.#release(lane);
    }
    for (const lane of [...this.#lanes.values()]) {
      const overdue = lane.pending.filter(isOverdue);
      if (overdue.length === 0) continue;
      lane.pending = lane.pending.filter((entry) => !isOverdue(entry));
      this.#refuse(overdue, noAnswer());
      if (!lane.busy && lane.pending.length === 0) this.#lanes.delete(lane.place);
    }
  }

  /** Puts entries in front of the lane again. They keep their order. */
  #retry(lane: Lane, entries: readonly Entry[]): void {
    const kept = entries.filter(({ isRefused }) => !isRefused);
    lane.pending = kept.concat(lane.pending);
    this.#done(entries.length - kept.length);
  }

  /** Counts a conflict for each entry, and refuses those that met too many of them. */
  #countConflict(entries: readonly Entry[]): Entry[] {
    const kept: Entry[] = [];
    for (const entry of entries) {
      entry.conflicts += 1;
      if (entry.conflicts < MAX_CONFLICTS) kept.push(entry);
      else this.#refuse([entry], tooManyConflicts(entry.proposal.place));
    }
    return kept;
  }

  async #refuseUnlessRepeated(entry: Entry, refusal: Refusal): Promise<void> {
    try {
      const earlier = await this.#repeats.earlier(entry.proposal);
      if (earlier === null) entry.reject(refusal);
      else entry.resolve(earlier);
    } catch (error) {
      entry.reject(asRefusal(error));
    }
    this.#done(1);
  }

  #answer(entry: Entry, event: () => StoredEvent): void {
    try {
      entry.resolve(event());
    } catch (error) {
      entry.reject(asRefusal(error));
    }
    this.#done(1);
  }

  #refuse(entries: readonly Entry[], refusal: Refusal): void {
    for (const entry of entries) entry.reject(refusal);
    this.#done(entries.length);
  }

  #release(lane: Lane): void {
    lane.busy = false;
    if (lane.pending.length === 0) this.#lanes.delete(lane.place);
    else this.#schedule.request();
  }

  #done(count: number): void {
    this.#waiting -= count;
    if (this.#waiting > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function noAnswer(): Refusal {
  return new Refusal('try-again', 'the message could not be stored; send it again with the same nonce');
}

function tooManyConflicts(place: ConversationKey): Refusal {
  return new Refusal(
    'try-again',
    `the message could not be stored in ${place} within ${MAX_CONFLICTS} attempts; send it again with the same nonce`,
  );
}
