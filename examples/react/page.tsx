import type { MyPlace, PlaceKey } from 'chat-server-client';
import { useState } from 'react';
import { useChat, useLook, usePlace, useReadable, useUnread } from './use-place.ts';

/** The user's places with their unread counts, and the conversation of the chosen one. */
export function Page() {
  const chat = useChat();
  const places = useReadable(chat.places);
  const { kind } = useReadable(chat.state);
  const [chosen, choose] = useState<PlaceKey>('r-5');
  return (
    <main>
      <p role="status">{kind}</p>
      <nav>
        {places.filter(isConversation).map((place) => (
          <PlaceButton key={place.place} place={place} choose={choose} />
        ))}
      </nav>
      <Room key={chosen} place={chosen} />
    </main>
  );
}

type Conversation = MyPlace & { readonly place: PlaceKey };

function isConversation(place: MyPlace): place is Conversation {
  return place.kind !== 'community';
}

function PlaceButton({ place, choose }: { place: Conversation; choose: (key: PlaceKey) => void }) {
  const unread = useUnread(place.place);
  return (
    <button type="button" onClick={() => choose(place.place)}>
      {place.name ?? place.place} {unread > 0 && <b>{unread}</b>}
    </button>
  );
}

function Room({ place: key }: { place: PlaceKey }) {
  const { entries, hasOlder, typing, refusal, place } = usePlace(key);
  useLook(key);
  const send = (data: FormData) => {
    place.send(String(data.get('text'))).catch(() => {}); // a failed entry shows its error
  };
  return (
    <section>
      {refusal !== null && <p role="alert">{refusal.message}</p>}
      {hasOlder && (
        <button type="button" onClick={() => place.loadOlder().catch(() => {})}>
          Older
        </button>
      )}
      <ol>
        {entries.map((entry) => (
          <li key={entry.key} className={entry.state}>
            {entry.name}: {entry.text || entry.file?.name} {entry.error?.message}
          </li>
        ))}
      </ol>
      <p>{typing.length > 0 && `${typing.join(', ')} typing`}</p>
      <form action={send}>
        <input name="text" aria-label="Message" autoComplete="off" onInput={() => place.typing()} />
        <button type="submit">Send</button>
      </form>
    </section>
  );
}
