import { type Chat, type ChatOptions, connect, type Place, type PlaceEvent } from 'chat-server-client';
import { onTestFinished, vi } from 'vitest';
import { MemoryServer } from './memory-server.ts';

/** A memory server with a virtual clock. `fetch` leads to it until the test ends. */
export function memoryServer(): MemoryServer {
  vi.useFakeTimers({ now: new Date('2026-11-27T10:00:00Z') });
  const server = new MemoryServer();
  vi.stubGlobal('fetch', server.fetch);
  onTestFinished(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
  return server;
}

/** Connects user 1 to the server. It is closed when the test ends. */
export function chatOn(server: MemoryServer, more: Partial<ChatOptions> = {}): Chat {
  const chat = connect({ ...server.options, user: { name: 'Ada' }, ...more });
  onTestFinished(() => chat.close());
  return chat;
}

/** Lets everything that is due within `ms` milliseconds happen. */
export async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Watches a place until the test ends, and collects its events. */
export function watched(place: Place): PlaceEvent[] {
  const events: PlaceEvent[] = [];
  onTestFinished(place.onEvent((event) => events.push(event)));
  return events;
}

export function textsOf(place: Place): string[] {
  return place
    .getSnapshot()
    .entries.map(({ text, state, action }) => (state === 'stored' ? text : `${text} (${state} ${action})`));
}
