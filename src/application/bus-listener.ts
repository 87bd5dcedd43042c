import type { ChatEvent } from '../domain/chat-event.ts';
import type { UserId } from '../domain/ids.ts';
import { type ConversationKey, parseConversationKey } from '../domain/place.ts';
import { type Draft, isSequenced, type SequencedEvent, STORED_KINDS } from '../domain/stored-event.ts';
import type { ClusterQuestions } from './cluster/cluster-questions.ts';
import type { Adoption } from './first-generation/adoption.ts';
import type { MemberLists } from './membership/member-lists.ts';
import type { ModerationOrders } from './moderation/moderation-orders.ts';
import type { Feeds } from './ordering/feeds.ts';
import type { HeardNumbers } from './ordering/heard-numbers.ts';
import type { Sequencer } from './ordering/sequencer.ts';
import type { Listeners } from './personal/listeners.ts';
import type { UnreadNotices } from './personal/unread-notices.ts';
import type { Clock } from './ports/clock.ts';
import type { LocalSubscribers, Origin } from './ports/local-subscribers.ts';
import type { IncomingRecord } from './ports/message-bus.ts';
import type { Telemetry } from './ports/telemetry.ts';
import type { Announcer } from './presence/announcer.ts';
import type { ClusterSessions } from './presence/cluster-sessions.ts';
import type { PresenceFanOut } from './presence/presence-fan-out.ts';
import type { SessionReactions } from './presence/session-reactions.ts';
import { placeOfVoice } from './presence/voice-broadcast.ts';
import type { ReadMarks } from './read-marks.ts';

export interface BusListenerParts {
  /** Id of this server. */
  readonly server: string;
  readonly sequencer: Sequencer;
  readonly heardNumbers: HeardNumbers;
  readonly feeds: Feeds;
  readonly lists: MemberLists;
  readonly clusterSessions: ClusterSessions;
  readonly announcer: Announcer;
  readonly presence: PresenceFanOut;
  readonly reactions: SessionReactions;
  readonly orders: ModerationOrders;
  readonly questions: ClusterQuestions;
  readonly listeners: Listeners;
  readonly unreadNotices: UnreadNotices;
  readonly readMarks: ReadMarks;
  readonly subscribers: LocalSubscribers;
  readonly telemetry: Telemetry;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Null where no original server runs beside these. */
  readonly adoption: Adoption | null;
}

/**
 * Takes the records of the bus to the parts of this server that need them. Order, membership,
 * presence and personal events meet here.
 *
 * Records of this server come back as well. Their events were handed out when they were stored, so
 * they show only that the bus works and which events are on it. A record that no client of this
 * server listens to is never decoded.
 */
export class BusListener {
  readonly #parts: BusListenerParts;

  constructor(parts: BusListenerParts) {
    this.#parts = parts;
  }

  /** Handles one record. Never throws. */
  handle(record: IncomingRecord): void {
    const { server, clusterSessions, telemetry } = this.#parts;
    try {
      if (record.server === server) {
        if (record.seq !== null) this.#noteNumber(record.key, record.seq);
        else if (record.key?.startsWith('s-')) clusterSessions.echo(() => record.read());
      } else if (record.seq !== null) this.#sequenced(record, record.seq);
      else this.#unnumbered(record);
    } catch (error) {
      telemetry.log('error', 'a record could not be handled', { key: record.key, error });
    }
  }

  /**
   * Handles a record that another worker of this machine sent past the bus. It does not show that
   * the event is on the bus. Never throws.
   */
  handleSibling(record: IncomingRecord): void {
    try {
      const place = record.key === null ? null : parseConversationKey(record.key);
      if (place !== null && record.seq !== null) this.#numbered(record, place, record.seq);
    } catch (error) {
      this.#parts.telemetry.log('error', 'a record could not be handled', { key: record.key, error });
    }
  }

  #sequenced(record: IncomingRecord, seq: number): void {
    const place = this.#noteNumber(record.key, seq);
    if (place !== null) this.#numbered(record, place, seq);
  }

  #numbered(record: IncomingRecord, place: ConversationKey, seq: number): void {
    const { sequencer, feeds, listeners, unreadNotices, clock } = this.#parts;
    if (record.batchEnd === seq) sequencer.heard(place, seq);
    if (feeds.listens(place)) {
      const { trace = null } = record;
      const since = clock.monotonic();
      const origin: Origin = trace === null ? { path: 'bus', since } : { path: 'bus', since, trace };
      feeds.receive(place, seq, () => sequencedEvent(record, seq), origin);
    }
    if (listeners.has(place)) unreadNotices.heard(place, sequencedEvent(record, seq));
  }

  /** Notes that an event is on the bus. Returns its place. */
  #noteNumber(key: string | null, seq: number): ConversationKey | null {
    const place = key === null ? null : parseConversationKey(key);
    if (place !== null) this.#parts.heardNumbers.heard(place, seq);
    return place;
  }

  #unnumbered(record: IncomingRecord): void {
    const isAdopted = record.server === null && this.#parts.adoption !== null;
    if (record.key !== null && !isAdopted && !record.isForServers) {
      const place = parseConversationKey(record.key);
      const { subscribers, listeners } = this.#parts;
      if (place !== null && subscribers.count(place) === 0 && !listeners.has(place)) return;
    }
    const event = record.read();
    // A stored event of the original server has no number and is decoded as `foreign`.
    if (event !== null && !isSequenced(event)) this.#take(event);
  }

  #take(event: Exclude<ChatEvent, SequencedEvent>): void {
    const { subscribers, presence, lists, readMarks, clusterSessions, orders, questions, adoption } = this.#parts;
    switch (event.kind) {
      case 'typing':
        subscribers.deliver(event.place, event);
        break;
      case 'foreign':
        if (adoption !== null) adoption.take(event.event, event.timestamp);
        else {
          subscribers.deliver(event.event.place, event);
          this.#foreign(event.event);
        }
        break;
      case 'connect':
        presence.show(event);
        break;
      case 'disconnect':
        presence.show(event);
        this.#disconnected(event.userId);
        break;
      case 'voice':
      case 'voice-left':
      case 'call-left':
        subscribers.deliver(placeOfVoice(event), event);
        break;
      case 'members-changed':
        lists.apply(event.place, event.members);
        break;
      case 'read':
        readMarks.heard(event);
        break;
      case 'roster':
        clusterSessions.heard(event);
        break;
      case 'moderation-changed':
        orders.heard(event.seq);
        break;
      case 'question':
        questions.asked(event);
        break;
      case 'answer':
        questions.answered(event);
        break;
    }
  }

  /** An original server has stored an event, which has no number. */
  #foreign(event: Draft): void {
    const { kind, place, userId } = event;
    if (STORED_KINDS[kind].creates && this.#parts.listeners.has(place)) {
      this.#parts.unreadNotices.unnumbered(place, userId);
    }
  }

  #disconnected(userId: UserId): void {
    const { announcer, clusterSessions, reactions } = this.#parts;
    announcer.disconnectWasAnnounced(userId);
    if (clusterSessions.sessionsHere(userId) > 0) reactions.misjudged(userId);
  }
}

/**
 * The record's event, or null if it cannot be decoded or has another number than the record's
 * header.
 */
function sequencedEvent(record: IncomingRecord, seq: number): SequencedEvent | null {
  const event = record.read();
  return event !== null && isSequenced(event) && event.seq === seq ? event : null;
}
