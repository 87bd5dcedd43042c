import type { Notification, Notifier } from '../../application/ports/notifier.ts';
import type { RestCall, RestService } from './rest-service.ts';

/** Hands pushes to the notification service. */
export class RestNotifier implements Notifier {
  readonly isEnabled = true;
  readonly #service: RestService;

  constructor(service: RestService) {
    this.#service = service;
  }

  async notify(notification: Notification): Promise<void> {
    const { status } = await this.#service.call(notificationCall(notification));
    if (status >= 300) throw this.#service.nonsense();
  }
}

/** The call as it is on the wire; its keys stand in the order in which the service has always had them. */
export function notificationCall({ place, userId, username, content, targets }: Notification): RestCall {
  const message = { userId, username, type: 'text', content };
  const target = `[${targets.join(', ')}]`;
  if (place.kind === 'room') {
    const body = { ...message, roomName: 'DM', roomId: place.roomId, target };
    return { method: 'POST', path: '/direct', body };
  }
  const { channelName, communityId, channelId } = place;
  return { method: 'POST', path: '/channel', body: { ...message, channelName, communityId, channelId, target } };
}
