import { conversationTopic } from '../domain/audience.ts';
import { type ChatEvent, isStored, type StoredEvent } from '../domain/chat-event.ts';
import { parseConversationKey } from '../domain/conversation.ts';
import type { Membership } from './membership/membership.ts';
import type { Feeds } from './ordering/feeds.ts';
import type { Journal } from './ordering/sequencer.ts';
import type { LocalSubscribers } from './ports/local-subscribers.ts';
import type { IncomingRecord } from './ports/message-bus.ts';
import type { Telemetry } from './ports/telemetry.ts';
import type { Announcer } from './presence/announcer.ts';
import type { Roster } from './presence/cluster-sessions.ts';
import type { PresenceNews } from './presence/presence-fan-out.ts';
import { voiceTopic } from './presence/voice-broadcast.ts';

/**
 * What the bus brings, to those on this server who want it. Our own records come back as well: their events were handed out when they were stored, so
 * all that they tell is that the bus works. A record that nobody here listens to is never decoded.
 */
export class Incoming {
  readonly #server: string;
  readonly #journal: Journal;
  readonly #feeds: Feeds;
  readonly #membership: Membership;
  readonly #roster: Roster;
  readonly #announcer: Announcer;
  readonly #presence: PresenceNews;
  readonly #subscribers: LocalSubscribers;
  readonly #telemetry: Telemetry;
  /** Told that this user is online here although others were told that he left. */
  readonly #misjudged: (userId: number) => void;

  constructor(parts: {
    server: string;
    journal: Journal;
    feeds: Feeds;
    membership: Membership;
    roster: Roster;
    announcer: Announcer;
    presence: PresenceNews;
    subscribers: LocalSubscribers;
    telemetry: Telemetry;
    misjudged: (userId: number) => void;
  }) {
    this.#server = parts.server;
    this.#journal = parts.journal;
    this.#feeds = parts.feeds;
    this.#membership = parts.membership;
    this.#roster = parts.roster;
    this.#announcer = parts.announcer;
    this.#presence = parts.presence;
    this.#subscribers = parts.subscribers;
    this.#telemetry = parts.telemetry;
    this.#misjudged = parts.misjudged;
  }

  /** Handles one record. Never throws. */
  handle(record: IncomingRecord): void {
    try {
      if (record.server === this.#server) {
        if (record.key?.startsWith('s-')) this.#roster.echo();
      } else if (record.seq !== null) this.#numbered(record, record.seq);
      else this.#other(record);
    } catch (error) {
      this.#telemetry.log('error', 'a record was not handled', { key: record.key, reason: String(error) });
    }
  }

  #numbered(record: IncomingRecord, seq: number): void {
    const place = record.key === null ? null : parseConversationKey(record.key);
    if (place === null) return;
    if (record.batchEnd === seq) this.#journal.heard(place, seq);
    if (!this.#feeds.listens(place)) return;
    this.#feeds.receive(place, seq, () => stored(record, seq));
  }

  #other(record: IncomingRecord): void {
    if (record.key !== null && !record.isForServers) {
      const place = parseConversationKey(record.key);
      if (place !== null && !this.#subscribers.has(conversationTopic(place))) return;
    }
    const event = record.read();
    if (event !== null) this.#take(event);
  }

  #take(event: ChatEvent): void {
    switch (event.kind) {
      case 'typing':
        this.#subscribers.deliver(conversationTopic(event.place), event);
        break;
      case 'foreign':
        this.#subscribers.deliver(conversationTopic(event.event.place), event);
        break;
      case 'connect':
      case 'disconnect':
        this.#presence.show(event);
        if (event.kind === 'disconnect') {
          this.#announcer.wasTold(event.userId);
          if (this.#roster.sessionsHere(event.userId) > 0) this.#misjudged(event.userId);
        }
        break;
      case 'voice':
      case 'voice-left':
      case 'call-left':
        this.#subscribers.deliver(voiceTopic(event), event);
        break;
      case 'members-changed':
        this.#membership.changed(event.of.kind, event.of.id, event.members);
        break;
      case 'roster':
        this.#roster.heard(event);
        break;
      default:
        // A stored kind without a number is decoded as `foreign`; with one it does not come here.
        break;
    }
  }
}

function stored(record: IncomingRecord, seq: number): StoredEvent | null {
  const event = record.read();
  return event !== null && isStored(event) && event.seq === seq ? event : null;
}
