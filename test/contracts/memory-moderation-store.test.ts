import { MemoryModerationStore } from '../../src/adapters/memory/moderation-store.ts';
import { moderationStoreContract } from './moderation-store.ts';

moderationStoreContract('memory', async () => {
  let now: () => number = Date.now;
  const store = new MemoryModerationStore({ now: () => now() });
  return {
    server: async (clock = Date.now) => {
      now = clock;
      return store;
    },
    close: async () => {},
  };
});
