import type { Chat, Place, PlaceKey, PlaceSnapshot, Readable } from 'chat-server-client';
import {
  computed,
  type InjectionKey,
  inject,
  type MaybeRefOrGetter,
  onScopeDispose,
  type ShallowRef,
  shallowRef,
  toValue,
  watchEffect,
} from 'vue';

/** The chat of the signed-in user: `app.provide(CHAT, chat)`. */
export const CHAT: InjectionKey<Chat> = Symbol('chat');

export function useChat(): Chat {
  const chat = inject(CHAT);
  if (chat === undefined) throw new Error('useChat needs app.provide(CHAT, chat)');
  return chat;
}

/** The current value of a store of the client, as a ref. It ends with the component. */
export function useReadable<T>(readable: Readable<T>): Readonly<ShallowRef<T>> {
  const value = shallowRef(readable.getSnapshot()) as ShallowRef<T>;
  onScopeDispose(
    readable.subscribe(() => {
      value.value = readable.getSnapshot();
    }),
  );
  return value;
}

/**
 * A room or channel with its entries. It is live while the component is there, and follows the key.
 * @param key `r-5` or `c-11`, or a ref of it
 */
export function usePlace(key: MaybeRefOrGetter<PlaceKey>, chat: Chat = useChat()) {
  const place = computed<Place>(() => chat.place(toValue(key)));
  const snapshot = shallowRef<PlaceSnapshot>(place.value.getSnapshot());
  watchEffect((onCleanup) => {
    const { subscribe, getSnapshot } = place.value;
    snapshot.value = getSnapshot();
    onCleanup(
      subscribe(() => {
        snapshot.value = getSnapshot();
      }),
    );
  });
  return { place, snapshot };
}
