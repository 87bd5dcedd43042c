import type { Session } from '../state/session.ts';
import { words } from '../words/index.ts';

export const NOTICES_KEY = 'chat-notices';

export function wantsNotices(): boolean {
  return (
    localStorage.getItem(NOTICES_KEY) === 'on' && 'Notification' in window && Notification.permission === 'granted'
  );
}

/** Shows by the system what is unread in a place, if the user wishes. A press opens the place. */
export function notify({ places, me }: Session, place: string, count: number, go: (place: string) => void): void {
  if (!wantsNotices()) return;
  const shown = new Notification(places.find(place)?.title ?? words().page.title, {
    body: words().messages.newCount(count),
    tag: `chat-${me.id}-${place}`,
    icon: 'icon.svg',
  });
  shown.addEventListener('click', () => {
    window.focus();
    go(place);
    shown.close();
  });
}
