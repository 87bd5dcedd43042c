import { asRefusal, Refusal } from '../../domain/errors.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Draft, SequencedEvent, StoredEvent } from '../../domain/stored-event.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { AppendBatch, AppendOutcome, MessageStore } from '../ports/message-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { Pace } from './pace.ts';

/** Something that wants to become an event of its place. */
export interface Proposal {
  readonly place: ConversationKey;
  readonly userId: UserId;
  readonly nonce: string | null;
  /** The message that it edits, deletes or answers. */
  readonly target: MessageId | null;
  /** What a repeat with the same nonce must agree with. */
  readonly kind: Draft['kind'];
  /**
   * The event, given the target as it stands right before it in the place's order. May be called again when another server was quicker.
   * @throws Refusal
   */
  decide(target: Message | undefined): Draft;
}

interface Entry {
  readonly proposal: Proposal;
  readonly resolve: (event: StoredEvent) => void;
  readonly reject: (error: Refusal) => void;
  attempts: number;
}

/** A place that has something to say: entries wait in `pending` while its last batch is under way. */
interface Lane {
  readonly place: ConversationKey;
  pending: Entry[];
  /** Preparing or writing: no second batch of the place may start. */
  busy: boolean;
}

interface Prepared {
  readonly lane: Lane;
  readonly batch: AppendBatch;
  readonly entries: readonly Entry[];
}

/** Called for each stored batch, in the order of its place, in the tick in which it is known to be stored. */
export type Committed = (place: ConversationKey, events: readonly StoredEvent[]) => void;

const MAX_BATCH = 256;
const MAX_APPEND = 1024;
/**
 * Events that must wait before an append is begun beside one that is under way, or sooner after one than the store's pace says. Few events a round cost the server and the
 * store nearly the work of hundreds: at a thousand messages a second in as many rooms, half the CPU a message.
 */
const SECOND_FROM = 32;
const MAX_WAITING = 50_000;
const MAX_ATTEMPTS = 100;
const MAX_BELIEFS = 200_000;

/**
 * Turns proposals into numbered, stored events. What gathers for a place while its last batch is being written goes out as the next batch, and all
 * places that are ready share one round trip. The number believed to be next comes from our own writes and from what other servers
 * are heard to have stored; where it is wrong, the store says `conflict`, the newest number is read and the batch is made anew.
 *
 * Rules that depend on another message (an edit's author, a reply's parent) are decided against the state at exactly that point of the order: the target
 * is read after the position is known, and a conflict means deciding again.
 */
export class Sequencer {
  readonly #store: MessageStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #committed: Committed;
  readonly #maxInFlight: number;
  readonly #pace: Pace;
  readonly #lanes = new Map<ConversationKey, Lane>();
  /** Newest number of a place as far as we know; oldest knowledge first. */
  readonly #beliefs = new Map<ConversationKey, number>();
  readonly #nonces = new Map<string, Promise<StoredEvent>>();
  #prepared: Prepared[] = [];
  #waiting = 0;
  #inFlight = 0;
  #scheduled = false;
  #paced: Timer | null = null;
  #idle: (() => void)[] = [];

  constructor(parts: {
    store: MessageStore;
    clock: Clock;
    telemetry: Telemetry;
    committed: Committed;
    /** Appends under way at once. */
    maxInFlight?: number;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#committed = parts.committed;
    this.#maxInFlight = parts.maxInFlight ?? 2;
    this.#pace = new Pace(parts.clock);
  }

  /**
   * Takes a proposal into its place's order, in the order of calls. Resolves when the event is stored; for a repeated nonce to what the first one became.
   * Rejects with a Refusal: the proposal's own, `try-again` or `store-failed`.
   */
  append(proposal: Proposal): Promise<StoredEvent> {
    if (proposal.nonce === null) return this.#enter(proposal);
    // The same nonce twice at once: the second waits for what the first becomes; between servers the store's index decides.
    const key = `${proposal.userId}:${proposal.nonce}`;
    const earlier = this.#nonces.get(key);
    const result =
      earlier === undefined
        ? this.#enter(proposal)
        : earlier.then(
            (event) => agreeing(proposal, event),
            () => this.#enter(proposal),
          );
    this.#nonces.set(key, result);
    const forget = (): void => {
      if (this.#nonces.get(key) === result) this.#nonces.delete(key);
    };
    result.then(forget, forget);
    return result;
  }

  /** Another server has stored events of this place up to `last`. */
  heard(place: ConversationKey, last: number): void {
    const believed = this.#beliefs.get(place);
    if (believed !== undefined && believed < last) this.#beliefs.set(place, last);
  }

  /** Resolves when nothing is waiting or under way. */
  async idle(): Promise<void> {
    if (this.#waiting === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #enter(proposal: Proposal): Promise<StoredEvent> {
    if (this.#waiting >= MAX_WAITING) {
      return Promise.reject(new Refusal('try-again', 'too much is waiting to be stored'));
    }
    return new Promise((resolve, reject) => {
      let lane = this.#lanes.get(proposal.place);
      if (lane === undefined) {
        lane = { place: proposal.place, pending: [], busy: false };
        this.#lanes.set(proposal.place, lane);
      }
      this.#waiting += 1;
      lane.pending.push({ proposal, resolve, reject, attempts: 0 });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      // What is not prepared yet can still be joined by more of its place.
      const wait = this.#untilNext();
      if (wait === 0) this.#prepareAll();
      else if (wait < Infinity) this.#scheduleIn(wait);
      this.#write();
    });
  }

  #scheduleIn(ms: number): void {
    this.#paced ??= this.#clock.after(ms, () => {
      this.#paced = null;
      this.#schedule();
    });
  }

  /** Milliseconds until what waits may begin; Infinity where something else has to happen first. */
  #untilNext(): number {
    if (this.#lanes.size === 0 || this.#inFlight >= this.#maxInFlight) return Infinity;
    const left = this.#inFlight === 0 ? this.#pace.left(this.#store.pace) : Infinity;
    return left === 0 || this.#manyWait() ? 0 : left;
  }

  #manyWait(): boolean {
    let waiting = 0;
    for (const { busy, pending } of this.#lanes.values()) {
      if (!busy) waiting += pending.length;
      if (waiting >= SECOND_FROM) return true;
    }
    return false;
  }

  #prepareAll(): void {
    const unknown: Lane[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.busy || lane.pending.length === 0) continue;
      lane.busy = true;
      if (this.#beliefs.has(lane.place)) this.#prepare(lane);
      else unknown.push(lane);
    }
    if (unknown.length > 0) void this.#locate(unknown);
  }

  /** Reads where these places stand, all at once. */
  async #locate(lanes: readonly Lane[]): Promise<void> {
    try {
      const newest = await this.#store.newest(lanes.map((lane) => lane.place));
      for (const lane of lanes) this.#believe(lane.place, newest.get(lane.place) ?? 0);
    } catch (error) {
      const refusal = asRefusal(error);
      for (const lane of lanes) {
        const entries = lane.pending;
        lane.pending = [];
        this.#refuse(entries, refusal);
        this.#release(lane);
      }
      return;
    }
    for (const lane of lanes) this.#prepare(lane);
    this.#write();
  }

  #prepare(lane: Lane): void {
    const entries = lane.pending.splice(0, MAX_BATCH);
    const targets = new Set<MessageId>();
    for (const { proposal } of entries) if (proposal.target !== null) targets.add(proposal.target);
    if (targets.size === 0) this.#decide(lane, entries, new Map());
    else void this.#lookUp(lane, entries, [...targets]);
  }

  async #lookUp(lane: Lane, entries: readonly Entry[], targets: readonly MessageId[]): Promise<void> {
    try {
      this.#decide(lane, entries, await this.#store.messages(lane.place, targets));
    } catch (error) {
      this.#refuse(entries, asRefusal(error));
      this.#release(lane);
    }
    this.#write();
  }

  #decide(lane: Lane, entries: readonly Entry[], state: Map<MessageId, Message>): void {
    const first = (this.#beliefs.get(lane.place) ?? 0) + 1;
    const kept: Entry[] = [];
    const drafts: Draft[] = [];
    for (const entry of entries) {
      const { proposal } = entry;
      try {
        const draft = proposal.decide(proposal.target === null ? undefined : state.get(proposal.target));
        drafts.push(draft);
        kept.push(entry);
        foresee(state, draft);
      } catch (error) {
        void this.#refuseUnlessRepeated(entry, asRefusal(error));
      }
    }
    if (drafts.length === 0) this.#release(lane);
    else this.#prepared.push({ lane, batch: { place: lane.place, first, drafts }, entries: kept });
  }

  #write(): void {
    while (this.#prepared.length > 0 && this.#inFlight < this.#maxInFlight) {
      const round: Prepared[] = [];
      let events = 0;
      for (const prepared of this.#prepared) {
        if (events > 0 && events + prepared.entries.length > MAX_APPEND) break;
        events += prepared.entries.length;
        round.push(prepared);
      }
      this.#prepared = this.#prepared.slice(round.length);
      void this.#append(round, events);
    }
  }

  async #append(round: readonly Prepared[], events: number): Promise<void> {
    this.#inFlight += 1;
    const began = this.#clock.now();
    this.#pace.begin();
    let outcomes: AppendOutcome[];
    try {
      outcomes = await this.#store.append(round.map((prepared) => prepared.batch));
    } catch (error) {
      outcomes = round.map(() => ({ kind: 'failed', error: asRefusal(error) }));
    }
    this.#inFlight -= 1;
    // Before anything is handed out: the store works on the next append while this one's frames are written to the sockets.
    this.#schedule();
    this.#telemetry.observe('append_ms', this.#clock.now() - began);
    this.#telemetry.observe('append_batch_events', events);
    for (const [i, prepared] of round.entries()) {
      this.#settle(prepared, outcomes[i] ?? { kind: 'failed', error: new Error('the store told no outcome') });
    }
  }

  #settle({ lane, batch, entries }: Prepared, outcome: AppendOutcome): void {
    switch (outcome.kind) {
      case 'stored': {
        const events = batch.drafts.map((draft, i): StoredEvent => ({ ...draft, seq: batch.first + i }));
        this.#believe(lane.place, batch.first + events.length - 1);
        this.#telemetry.count('append_batches');
        this.#telemetry.count('events_stored', events.length);
        this.#committed(lane.place, events);
        for (const [i, entry] of entries.entries()) {
          const event = events[i];
          if (event !== undefined) entry.resolve(event);
        }
        this.#done(entries.length);
        break;
      }
      case 'conflict':
        this.#telemetry.count('append_clashes');
        // What was heard meanwhile may tell the position already; else it is read.
        if ((this.#beliefs.get(lane.place) ?? 0) < batch.first) this.#beliefs.delete(lane.place);
        this.#again(lane, entries);
        break;
      case 'repeated': {
        const repeat = entries[outcome.index];
        if (repeat !== undefined) {
          this.#answerRepeat(repeat, outcome.event);
          this.#done(1);
        }
        this.#again(
          lane,
          entries.filter((entry) => entry !== repeat),
        );
        break;
      }
      case 'failed':
        // Nobody knows whether it is stored. If it is, its number is taken and the outbox brings it out.
        this.#telemetry.count('append_failures');
        this.#telemetry.log('warn', 'append failed', { place: lane.place, reason: outcome.error.message });
        this.#beliefs.delete(lane.place);
        this.#refuse(
          entries,
          outcome.error instanceof Refusal
            ? outcome.error
            : new Refusal('try-again', 'the message could not be stored now'),
        );
        break;
    }
    this.#release(lane);
  }

  #again(lane: Lane, entries: readonly Entry[]): void {
    const kept: Entry[] = [];
    for (const entry of entries) {
      entry.attempts += 1;
      if (entry.attempts < MAX_ATTEMPTS) kept.push(entry);
      else this.#refuse([entry], new Refusal('try-again', 'too many write to this place at once'));
    }
    lane.pending = kept.concat(lane.pending);
  }

  /** A target that is gone may be gone by this very command's first try: then its nonce tells what became of it. */
  async #refuseUnlessRepeated(entry: Entry, refusal: Refusal): Promise<void> {
    const { userId, nonce } = entry.proposal;
    try {
      const event = nonce === null ? null : await this.#store.byNonce(userId, nonce);
      if (event === null) entry.reject(refusal);
      else this.#answerRepeat(entry, event);
    } catch (error) {
      entry.reject(asRefusal(error));
    }
    this.#done(1);
  }

  #answerRepeat(entry: Entry, event: SequencedEvent): void {
    try {
      entry.resolve(agreeing(entry.proposal, event));
    } catch (error) {
      entry.reject(asRefusal(error));
    }
  }

  #refuse(entries: readonly Entry[], refusal: Refusal): void {
    for (const entry of entries) entry.reject(refusal);
    this.#done(entries.length);
  }

  #release(lane: Lane): void {
    lane.busy = false;
    if (lane.pending.length === 0) this.#lanes.delete(lane.place);
    else this.#schedule();
  }

  #believe(place: ConversationKey, last: number): void {
    const believed = this.#beliefs.get(place) ?? 0;
    this.#beliefs.delete(place);
    this.#beliefs.set(place, Math.max(believed, last));
    if (this.#beliefs.size > MAX_BELIEFS) {
      const oldest = this.#beliefs.keys().next().value;
      if (oldest !== undefined) this.#beliefs.delete(oldest);
    }
  }

  #done(count: number): void {
    this.#waiting -= count;
    if (this.#waiting > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** What the state will be once this draft is stored, for drafts behind it in the same batch. */
function foresee(state: Map<MessageId, Message>, draft: Draft): void {
  if (draft.kind === 'delete') state.delete(draft.id);
  if (draft.kind !== 'modify') return;
  const target = state.get(draft.id);
  if (target !== undefined) state.set(draft.id, { ...target, content: draft.content, edited: true });
}

/**
 * What a nonce became the first time, for the one who sends it again.
 * @throws Refusal `bad-input` when he means something else by it now
 */
function agreeing(proposal: Proposal, event: SequencedEvent): StoredEvent {
  if (event.kind === 'unknown') throw new Refusal('bad-input', 'this nonce was used for something else');
  if (event.place !== proposal.place || event.kind !== proposal.kind || targetOf(event) !== proposal.target) {
    throw new Refusal('bad-input', 'this nonce was used for something else');
  }
  return event;
}

function targetOf(event: StoredEvent): MessageId | null {
  switch (event.kind) {
    case 'modify':
    case 'delete':
      return event.id;
    case 'reply':
      return event.parentId;
    default:
      return null;
  }
}
