import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { prepareSchema } from '../../../src/adapters/sqlite/schema.ts';
import { runGroup } from '../../../src/adapters/sqlite/transaction-group.ts';
import { callsOn } from '../../../src/adapters/sqlite/worker-calls.ts';
import { roomKey } from '../../../src/domain/place.ts';
import { said } from '../../contracts/world.ts';

it('reports the result code of a full disk, by which the log raises its level', () => {
  const db = new DatabaseSync(':memory:');
  prepareSchema(db, ':memory:');
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${pages + 1}`);
  const place = roomKey(5);
  const batch = { place, first: 1, drafts: [said(place, 'x'.repeat(100_000))] };
  const answers = runGroup(db, callsOn(db), [{ id: 1, name: 'append', args: [[batch], Date.now()] }]);
  expect(answers).toEqual([{ id: 1, error: { message: 'database or disk is full', errcode: 13 } }]);
});
