import type { ClusterEvent } from './cluster-event.ts';
import type { ChannelId, CommunityId, RoomId, UserId } from './ids.ts';
import type { ConversationKey, PlaceKey } from './place.ts';
import type { Draft, SequencedEvent } from './stored-event.ts';

/**
 * An event of a stored kind from an original server, which stored it without a number. This server
 * only delivers it, or gives it a number where original servers run beside it.
 */
export interface ForeignEvent {
  readonly kind: 'foreign';
  readonly event: Draft;
  /** When the bus took the record, in milliseconds since 1970; the same on all servers. */
  readonly timestamp: number;
}

/** A user is typing in a conversation. */
export interface TypingShown {
  readonly kind: 'typing';
  readonly place: ConversationKey;
  readonly name: string;
}

/** A user came online or went offline. `places` are their rooms and communities. */
export interface PresenceChanged {
  readonly kind: 'connect' | 'disconnect';
  readonly userId: UserId;
  readonly places: readonly PlaceKey[];
}

/**
 * The users in a community's voice channels, by channel id. All ids are strings, as the presence
 * service sends them.
 */
export type VoiceState = Readonly<Record<string, readonly string[]>>;

/** The state of a community's voice channels. */
export interface VoiceShown {
  readonly kind: 'voice';
  readonly communityId: CommunityId;
  readonly state: VoiceState;
}

/**
 * A user left (`out`) or entered (`in`) a voice channel of a community. `ids` are the users who are
 * in it now.
 */
export interface VoiceLeft {
  readonly kind: 'voice-left';
  readonly type: 'out' | 'in';
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
  readonly ids: readonly string[];
}

/** A user left (`out`) or entered (`in`) a direct call. `ids` are the users who are in it now. */
export interface CallLeft {
  readonly kind: 'call-left';
  readonly type: 'out' | 'in';
  readonly roomId: RoomId;
  readonly ids: readonly string[];
}

/** An event that subscribers get once. It is not stored and has no number. */
export type TransientEvent = TypingShown | PresenceChanged | VoiceShown | VoiceLeft | CallLeft;

/**
 * Every event that travels on the bus. The union is closed: a new kind does not compile until every
 * `switch` over the kinds handles it.
 */
export type ChatEvent = SequencedEvent | ForeignEvent | TransientEvent | ClusterEvent;
