import type { ClusterEvent } from './cluster-event.ts';
import type { ChannelId, CommunityId, RoomId, UserId } from './ids.ts';
import type { ConversationKey, PlaceKey } from './place.ts';
import type { Draft, SequencedEvent } from './stored-event.ts';

/**
 * An event of a stored kind that an original server wrote. The original has stored it and gave it no number. It is delivered as it is.
 */
export interface ForeignEvent {
  readonly kind: 'foreign';
  readonly event: Draft;
}

export interface TypingShown {
  readonly kind: 'typing';
  readonly place: ConversationKey;
  readonly name: string;
}

/** A user came online or went offline. `places` are the user's rooms and communities. */
export interface PresenceChanged {
  readonly kind: 'connect' | 'disconnect';
  readonly userId: UserId;
  readonly places: readonly PlaceKey[];
}

/** The users in a community's voice channels: channel id to user ids, both as texts, as the presence service gives them. */
export type VoiceState = Readonly<Record<string, readonly string[]>>;

export interface VoiceShown {
  readonly kind: 'voice';
  readonly communityId: CommunityId;
  readonly state: VoiceState;
}

/** A user left (`out`) or entered (`in`) a voice channel of a community. `ids` are the users who are in it now. */
export interface VoiceLeft {
  readonly kind: 'voice-left';
  readonly type: 'out' | 'in';
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
  readonly ids: readonly string[];
}

/** The same for a direct call. */
export interface CallLeft {
  readonly kind: 'call-left';
  readonly type: 'out' | 'in';
  readonly roomId: RoomId;
  readonly ids: readonly string[];
}

/** Sent to subscribers, never stored, without a number. */
export type TransientEvent = TypingShown | PresenceChanged | VoiceShown | VoiceLeft | CallLeft;

/** Every event that travels on the bus. The union is closed: a new kind fails to compile wherever a decision about it is missing. */
export type ChatEvent = SequencedEvent | ForeignEvent | TransientEvent | ClusterEvent;
