import type { CommunityId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';

/** One push notification about a new message. */
export interface Notification {
  readonly place: ConversationKey;
  /** The channel's community, if the author named it; null for a room. */
  readonly communityId: CommunityId | null;
  /** The channel's name, if this server knows it; null for a room. */
  readonly channelName: string | null;
  /** The author. */
  readonly userId: UserId;
  readonly username: string;
  /** The message's text. For a file: its type, such as `image`. */
  readonly content: string;
  /** The users to notify; at least one. */
  readonly targets: readonly UserId[];
}

/**
 * Hands push notifications to the notification service.
 *
 * Delivery: each call sends once. The caller repeats a call that was rejected with `try-again`, so
 * a notification whose answer was lost may arrive twice. Order: none, calls may run at the same
 * time. Errors: rejects with `Refusal('try-again')` if the service cannot be reached, does not
 * answer within the adapter's timeout or says that it cannot accept anything now. Rejects with
 * `Refusal('bad-input')` if the service refuses this notification; the caller drops it. Nothing is
 * kept between calls, so there is nothing to close.
 */
export interface Notifier {
  /**
   * False if nobody is ever notified. The caller then does not look for recipients. It never
   * changes.
   */
  readonly isEnabled: boolean;
  /** Resolves when the service has accepted the notification. */
  notify(notification: Notification): Promise<void>;
}
