import type { ChannelId, CommunityId, RoomId, UserId } from '../../domain/ids.ts';

export interface Notification {
  readonly place:
    | { readonly kind: 'room'; readonly roomId: RoomId }
    | {
        readonly kind: 'channel';
        readonly channelId: ChannelId;
        readonly communityId: CommunityId | null;
        readonly channelName: string;
      };
  readonly userId: UserId;
  readonly username: string;
  /** The text; of a file its type. */
  readonly content: string;
  readonly targets: readonly UserId[];
}

/** Hands a push to the notification service. Rejects when it does not answer within its bound; the caller counts that and goes on. */
export interface Notifier {
  /** False: nobody is ever notified, so that the caller need not look for recipients. Does not change. */
  readonly isEnabled: boolean;
  notify(notification: Notification): Promise<void>;
}
