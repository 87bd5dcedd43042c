import { pino } from 'pino';
import { beforeEach, expect, it } from 'vitest';
import { ResilientPresence, type SharedStore, type StoreState } from '../../../neighbours/presence/resilient.ts';
import { MemoryStore } from '../../../neighbours/presence/store-memory.ts';

const FAR = Date.now() + 3_600_000;

/** A shared store in this process that can be started again at any time. */
class RestartableStore extends MemoryStore implements SharedStore {
  next: StoreState = 'same';
  /** While it is set, changes wait. */
  held: Promise<void> | null = null;

  override async commit(...change: Parameters<MemoryStore['commit']>): Promise<boolean> {
    const isCommitted = await super.commit(...change);
    await this.held;
    return isCommitted;
  }

  async check(): Promise<StoreState> {
    const state = this.next;
    this.next = 'same';
    return state;
  }

  async now(): Promise<number> {
    return Date.now();
  }
}

let store: RestartableStore;
let presence: ResilientPresence;
beforeEach(async () => {
  store = new RestartableStore();
  const logger = pino({ level: 'silent' });
  presence = new ResilientPresence({ shared: store, leaseMs: 60_000, logger, owners: () => ['me'] });
  await presence.tick();
});

const login = (user: string) => presence.handle({ type: 'login', session: `s${user}`, user }, 'me');

it('writes the last changes again to a store that was started again although no request has failed', async () => {
  await login('1');
  store.put('1', null, FAR);
  store.next = 'restarted';
  await presence.tick();
  expect(await store.userOf('s1')).toBe('1');
  expect(presence.complete).toBe(true);
});

it('writes everything again to a store that was emptied although no request has failed', async () => {
  await login('1');
  await login('2');
  for (const user of ['1', '2']) store.put(user, null, FAR);
  store.next = 'empty';
  await presence.tick();
  expect([await store.userOf('s1'), await store.userOf('s2')]).toEqual(['1', '2']);
});

it('does not bring a session back whose logout was under way when the store was started again', async () => {
  await login('1');
  const held = Promise.withResolvers<void>();
  store.held = held.promise;
  const logout = presence.handle({ type: 'logout', session: 's1' }, 'me');
  store.next = 'restarted';
  const tick = presence.tick();
  // The logout has changed the store by then, but its answer is late.
  await new Promise((resolve) => setImmediate(resolve));
  held.resolve();
  await Promise.all([logout, tick]);
  expect(await store.userOf('s1')).toBeNull();
});
