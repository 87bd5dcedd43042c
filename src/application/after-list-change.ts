import type { UserId } from '../domain/ids.ts';
import { channelKey, idOf, isCommunity } from '../domain/place.ts';
import type { ChannelAccess } from './membership/channel-access.ts';
import type { MemberLists } from './membership/member-lists.ts';
import type { UserPlaces } from './personal/user-places.ts';
import type { VoiceSessions } from './presence/voice-sessions.ts';

/**
 * Connects membership to what depends on it. After a member list or a channel has changed here, and
 * after the subscriptions of removed users have ended:
 *
 * 1. Users who listen to their personal events hear that the place was added or left.
 * 2. Users who are not in a community any more leave its voice channels.
 */
export function followListChanges(parts: {
  readonly lists: MemberLists;
  readonly channels: ChannelAccess;
  readonly userPlaces: UserPlaces;
  readonly voiceSessions: VoiceSessions;
}): void {
  const { lists, channels, userPlaces, voiceSessions } = parts;
  lists.onChange((place, members) => {
    const isMember = (userId: UserId): boolean => members.has(userId);
    userPlaces.changed(place, isMember);
    if (isCommunity(place)) void voiceSessions.endRemoved(idOf(place), isMember);
  });
  channels.onRead((channel, isNew) => {
    const isMember = (userId: UserId): boolean => channels.contains(channel, userId);
    if (isNew) userPlaces.found(channelKey(channel.id), isMember);
    else userPlaces.changed(channelKey(channel.id), isMember);
  });
}
