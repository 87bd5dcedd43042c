import type { PlaceKey, Voice } from 'chat-server-client';
import { notice } from '../shell/announcer.ts';
import { words } from '../words/index.ts';
import type { PlaceInfo } from './place-book.ts';
import type { Session } from './session.ts';

const KEY = 'chat-voice';

/**
 * Enters and leaves voice channels as the user wishes, and says when voice has ended by itself: the
 * server ends it when the user looks at another place, and with the page.
 */
export function keepVoice(session: Session): () => void {
  let current: { readonly place: PlaceInfo; readonly voice: Voice; readonly stop: () => void } | null = null;

  const forget = () => {
    current?.stop();
    current = null;
    sessionStorage.removeItem(KEY);
  };
  const ended = (place: PlaceInfo) => {
    const text = words().voice;
    notice(text.ended(place.title), { label: text.rejoin, press: () => session.voice.set(place.key) });
  };
  const enter = (key: PlaceKey) => {
    const place = session.places.find(key);
    if (place?.communityId == null) return;
    const voice = session.chat.voice(place.communityId);
    let wasIn = false;
    const check = () => {
      const isIn = voice.getSnapshot().get(place.id)?.includes(session.me.id) ?? false;
      if (wasIn && !isIn && session.chat.state.getSnapshot().kind === 'online' && session.voice.value === key) {
        forget();
        voice.leave();
        session.voice.set(null);
        ended(place);
      }
      wasIn = isIn;
    };
    current = { place, voice, stop: voice.subscribe(check) };
    sessionStorage.setItem(KEY, `${session.me.id} ${key}`);
    voice.enter(place.id);
  };
  const stop = session.voice.subscribe(() => {
    current?.voice.leave();
    forget();
    if (session.voice.value !== null) enter(session.voice.value);
  });

  // A reload has ended it.
  const [user, key] = (sessionStorage.getItem(KEY) ?? '').split(' ');
  sessionStorage.removeItem(KEY);
  const before = user === String(session.me.id) ? session.places.find(key ?? null) : undefined;
  if (before !== undefined) ended(before);
  return () => {
    stop();
    forget();
  };
}
