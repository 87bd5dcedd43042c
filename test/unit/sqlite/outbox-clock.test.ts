import { expect, it, onTestFinished } from 'vitest';
import { SqliteDatabase } from '../../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../../src/adapters/sqlite/outbox.ts';
import { roomKey } from '../../../src/domain/place.ts';
import { said } from '../../contracts/world.ts';

it('lists an unpublished batch at once after the clock was set back by an hour', async () => {
  let now = Date.UTC(2026, 10, 27);
  const database = await SqliteDatabase.open(':memory:');
  onTestFinished(() => database.close());
  const store = new SqliteMessageStore({ database, now: () => now });
  const outbox = new SqliteOutbox({ database, now: () => now });
  const place = roomKey(1);
  await store.append([{ place, first: 1, drafts: [said(place, 'hello')] }]);
  expect(await outbox.unpublished(3_000, 10)).toEqual([]);
  now -= 3_600_000;
  expect(await outbox.unpublished(3_000, 10)).toMatchObject([{ place, first: 1 }]);
});
