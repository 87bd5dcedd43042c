import type { Session } from '../state/session.ts';
import { follow } from '../state/signal.ts';
import { words } from '../words/index.ts';

export const NOTICES_KEY = 'chat-notices';

export function wantsNotices(): boolean {
  return (
    localStorage.getItem(NOTICES_KEY) === 'on' && 'Notification' in window && Notification.permission === 'granted'
  );
}

/** Shows what is unread in the title of the page and, if the user wishes, by the system. */
export function keepNotices(session: Session, go: (place: string) => void): () => void {
  const { chat, open, places, me } = session;
  const before = new Map<string, number>();
  const show = () => {
    const counts = chat.unread.getSnapshot();
    let sum = 0;
    for (const [place, { count }] of counts) {
      sum += count;
      if (count > (before.get(place) ?? count) && document.hidden && wantsNotices()) notify(place, count);
      before.set(place, count);
    }
    const title = places.find(open.value)?.title ?? words().page.title;
    document.title = `${sum > 0 ? `(${sum}) ` : ''}${title} – ${me.name}`;
  };
  const notify = (place: string, count: number) => {
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
  };
  return follow(show, chat.unread, open, places.all);
}
