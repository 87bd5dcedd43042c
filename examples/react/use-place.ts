import type { Chat, Place, PlaceKey, PlaceSnapshot, Readable } from 'chat-server-client';
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';

/** The chat of the signed-in user: `<ChatContext value={chat}>` around the application. */
export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (chat === null) throw new Error('useChat needs a ChatContext around the component');
  return chat;
}

/** The current value of a store of the client. The component is rendered again when it changes. */
export function useReadable<T>({ subscribe, getSnapshot }: Readable<T>): T {
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot);
}

/**
 * A room or channel with its entries. It is live while a component uses it.
 * @param key `r-5` or `c-11`
 */
export function usePlace(key: PlaceKey): PlaceSnapshot & { readonly place: Place } {
  const chat = useChat();
  const place = useMemo(() => chat.place(key), [chat, key]);
  const snapshot = useReadable(place);
  return { ...snapshot, place };
}

/** Marks the place as the one that the user looks at, and as read, while the component is shown. */
export function useLook(key: PlaceKey): void {
  const chat = useChat();
  useEffect(() => {
    chat.look(key);
    return () => chat.look(null);
  }, [chat, key]);
}

/** Unread messages of a place, for a badge. */
export function useUnread(key: PlaceKey): number {
  return useReadable(useChat().unread).get(key)?.count ?? 0;
}
