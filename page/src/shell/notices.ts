import type { Session } from '../state/session.ts';
import { follow } from '../state/signal.ts';
import { words } from '../words/index.ts';
import { later, withPart } from './later.ts';

/** Shows what is unread in the title of the page and, if the user wishes, by the system. */
export function keepNotices(session: Session, go: (place: string) => void): () => void {
  const { chat, open, places, me } = session;
  const before = new Map<string, number>();
  const show = () => {
    const counts = chat.unread.getSnapshot();
    let sum = 0;
    for (const [place, { count }] of counts) {
      sum += count;
      if (count > (before.get(place) ?? count) && document.hidden)
        withPart(later.notify, ({ notify }) => notify(session, place, count, go));
      before.set(place, count);
    }
    const title = places.find(open.value)?.title ?? words().page.title;
    document.title = `${sum > 0 ? `(${sum}) ` : ''}${title} – ${me.name}`;
  };
  return follow(show, chat.unread, open, places.all);
}
