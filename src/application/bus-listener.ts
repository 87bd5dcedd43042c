import type { ChatEvent } from '../domain/chat-event.ts';
import { parseConversationKey } from '../domain/place.ts';
import { isSequenced, type SequencedEvent } from '../domain/stored-event.ts';
import type { MemberLists } from './membership/member-lists.ts';
import type { Feeds } from './ordering/feeds.ts';
import type { Sequencer } from './ordering/sequencer.ts';
import type { LocalSubscribers } from './ports/local-subscribers.ts';
import type { IncomingRecord } from './ports/message-bus.ts';
import type { Telemetry } from './ports/telemetry.ts';
import type { Announcer } from './presence/announcer.ts';
import type { ClusterSessions } from './presence/cluster-sessions.ts';
import type { PresenceFanOut } from './presence/presence-fan-out.ts';
import { placeOfVoice } from './presence/voice-broadcast.ts';

/**
 * What the bus brings, to those on this server who want it. Our own records come back as well: their events were handed out when they were stored, so
 * all that they tell is that the bus works. A record that nobody here listens to is never decoded.
 */
export class BusListener {
  readonly #server: string;
  readonly #sequencer: Sequencer;
  readonly #feeds: Feeds;
  readonly #lists: MemberLists;
  readonly #clusterSessions: ClusterSessions;
  readonly #announcer: Announcer;
  readonly #presence: PresenceFanOut;
  readonly #subscribers: LocalSubscribers;
  readonly #telemetry: Telemetry;
  /** Told that this user is online here although others were told that he left. */
  readonly #misjudged: (userId: number) => void;

  constructor(parts: {
    server: string;
    sequencer: Sequencer;
    feeds: Feeds;
    lists: MemberLists;
    clusterSessions: ClusterSessions;
    announcer: Announcer;
    presence: PresenceFanOut;
    subscribers: LocalSubscribers;
    telemetry: Telemetry;
    misjudged: (userId: number) => void;
  }) {
    this.#server = parts.server;
    this.#sequencer = parts.sequencer;
    this.#feeds = parts.feeds;
    this.#lists = parts.lists;
    this.#clusterSessions = parts.clusterSessions;
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
        if (record.key?.startsWith('s-')) this.#clusterSessions.echo();
      } else if (record.seq !== null) this.#numbered(record, record.seq);
      else this.#other(record);
    } catch (error) {
      this.#telemetry.log('error', 'a record was not handled', { key: record.key, reason: String(error) });
    }
  }

  #numbered(record: IncomingRecord, seq: number): void {
    const place = record.key === null ? null : parseConversationKey(record.key);
    if (place === null) return;
    if (record.batchEnd === seq) this.#sequencer.heard(place, seq);
    if (!this.#feeds.listens(place)) return;
    this.#feeds.receive(place, seq, () => sequenced(record, seq));
  }

  #other(record: IncomingRecord): void {
    if (record.key !== null && !record.isForServers) {
      const place = parseConversationKey(record.key);
      if (place !== null && this.#subscribers.count(place) === 0) return;
    }
    const event = record.read();
    if (event !== null) this.#take(event);
  }

  #take(event: ChatEvent): void {
    switch (event.kind) {
      case 'typing':
        this.#subscribers.deliver(event.place, event);
        break;
      case 'foreign':
        this.#subscribers.deliver(event.event.place, event);
        break;
      case 'connect':
      case 'disconnect':
        this.#presence.show(event);
        if (event.kind === 'disconnect') {
          this.#announcer.disconnectWasAnnounced(event.userId);
          if (this.#clusterSessions.sessionsHere(event.userId) > 0) this.#misjudged(event.userId);
        }
        break;
      case 'voice':
      case 'voice-left':
      case 'call-left':
        this.#subscribers.deliver(placeOfVoice(event), event);
        break;
      case 'members-changed':
        this.#lists.apply(event.place, event.members);
        break;
      case 'roster':
        this.#clusterSessions.heard(event);
        break;
      case 'message':
      case 'reply':
      case 'file':
      case 'modify':
      case 'delete':
      case 'unknown':
        // A numbered event goes to its feed and does not come here. Without a number it is decoded as `foreign`.
        break;
    }
  }
}

function sequenced(record: IncomingRecord, seq: number): SequencedEvent | null {
  const event = record.read();
  return event !== null && isSequenced(event) && event.seq === seq ? event : null;
}
