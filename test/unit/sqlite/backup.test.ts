import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { backUp } from '../../../src/adapters/sqlite/backup.ts';

it('waits with a copy for the end of the transaction that is open when it begins', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-test-copy-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  using db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE said (text TEXT); BEGIN IMMEDIATE; INSERT INTO said VALUES (1)');
  const target = join(folder, 'copy.db');
  const copied = backUp(db, target);
  setTimeout(() => db.exec('COMMIT'), 50);
  await copied;
  using copy = new DatabaseSync(target);
  expect(copy.prepare('SELECT count(*) AS count FROM said').get()).toEqual({ count: 1 });
});
