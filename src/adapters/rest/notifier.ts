import type { Notification, Notifier } from '../../application/ports/notifier.ts';
import { Refusal } from '../../domain/errors.ts';
import { idOf, isRoom } from '../../domain/place.ts';
import type { RestCall, RestService } from './rest-service.ts';

/** The notification service shows these names where a place has none. */
const ROOM_NAME = 'DM';
const UNKNOWN_CHANNEL_NAME = 'CHANNEL';

/** Statuses below 500 that say nothing about the notification itself: too early, and too many. */
const BUSY_STATUSES = new Set([408, 425, 429]);

/** Hands push notifications to the notification service. */
export class RestNotifier implements Notifier {
  readonly isEnabled = true;
  readonly #service: RestService;

  constructor(service: RestService) {
    this.#service = service;
  }

  async notify(notification: Notification): Promise<void> {
    const { status } = await this.#service.call(notificationCall(notification));
    if (status < 300) return;
    if (BUSY_STATUSES.has(status)) throw this.#service.unusableAnswer();
    throw new Refusal('bad-input', `the notification service refused the notification with status ${status}`);
  }
}

/** The call on the wire. Its keys keep the order in which the service has always received them. */
function notificationCall(notification: Notification): RestCall {
  const { place, communityId, userId, username, content, targets } = notification;
  const id = idOf(place);
  const message = { userId, username, type: 'text', content };
  const target = `[${targets.join(', ')}]`;
  if (isRoom(place)) {
    return { method: 'POST', path: '/direct', body: { ...message, roomName: ROOM_NAME, roomId: id, target } };
  }
  const channelName = notification.channelName ?? UNKNOWN_CHANNEL_NAME;
  return { method: 'POST', path: '/channel', body: { ...message, channelName, communityId, channelId: id, target } };
}
