import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { SqliteDatabase } from '../../../src/adapters/sqlite/database.ts';
import { SystemTelemetry } from '../../../src/adapters/system/telemetry.ts';
import { ChatServer } from '../../../src/bootstrap/chat-server.ts';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';
import type { ConversationKey } from '../../../src/domain/place.ts';
import type { Draft } from '../../../src/domain/stored-event.ts';
import { runCommand } from './run-command.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-test-verify-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  file = join(folder, 'chat.db');
});

const verify = (...more: string[]) => runCommand(['verify', ...more], { DATA_DIR: folder, PORT: '0' });
const hex = (n: number): string => n.toString(16).padStart(24, '0');

function draft(
  place: ConversationKey,
  kind: 'message' | 'modify' | 'delete',
  n: number,
  nonce = `${place}-${n}`,
): Draft {
  const common = { place, id: hex(n), userId: 1, time: 1_000 + n, communityId: null };
  switch (kind) {
    case 'message':
      return { kind, ...common, content: `secret ${n}`, name: 'Ada', profileImage: null, nonce };
    case 'modify':
      return { kind, ...common, content: `edited ${n}`, nonce: null };
    case 'delete':
      return { kind, ...common, nonce: null };
  }
}

/** Room 5 has the messages 1 to 4, of which 2 is edited and 3 is deleted; room 6 has one. */
async function fill(): Promise<void> {
  const database = await SqliteDatabase.open(file);
  const room = [1, 2, 3, 4].map((n) => draft('r-5', 'message', n));
  const drafts = [...room, draft('r-5', 'modify', 2), draft('r-5', 'delete', 3)];
  const other = { place: 'r-6', first: 1, drafts: [draft('r-6', 'message', 9)] } as const;
  await database.call('append', [{ place: 'r-5', first: 1, drafts }, other], 1_000);
  await database.close();
}

function harm(sql: string): void {
  using db = new DatabaseSync(file);
  db.exec(sql);
}

it('finds nothing wrong in a store that the server has written, and counts it', async () => {
  await fill();
  const { code, out, err } = await verify();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe('places: 2, events: 7, messages: 4\nnothing is wrong\n');
});

it('checks the copy of a running server, and removes the copy', async () => {
  await fill();
  const { config, secrets } = readConfig({ DATA_DIR: folder, PORT: '0' });
  const server = await ChatServer.start({ config, secrets, telemetry: SystemTelemetry.create({ level: 'silent' }) });
  onTestFinished(() => server.stop());
  expect(await verify()).toMatchObject({ code: 0, err: '' });
  expect((await readdir(folder)).filter((name) => name.startsWith('verify'))).toEqual([]);
});

it.each([
  { sql: `DELETE FROM event WHERE place = 'r-5' AND seq = 2`, finding: 'numbers are missing: r-5 2' },
  { sql: `DELETE FROM event WHERE place = 'r-5' AND seq IN (5, 6)`, finding: 'numbers are missing: r-5 5 to 6' },
  {
    sql: `DELETE FROM message WHERE id = '${hex(1)}'`,
    finding: `a message is missing: r-5 1, message ${hex(1)}`,
  },
  {
    sql: `UPDATE message SET content = 'secret 2' WHERE id = '${hex(2)}'`,
    finding: `a message differs from its events: r-5 2, message ${hex(2)}`,
  },
  {
    sql: `UPDATE message SET id = '${hex(8)}' WHERE id = '${hex(4)}'`,
    finding: `a message has no event: r-5 4, message ${hex(8)}`,
  },
  {
    sql: `INSERT INTO message SELECT place, 3, '${hex(3)}', user, time, community, name, image, content, thumbnail, type,
      parent, edited, nonce, file_name, file_size, width, height FROM message WHERE id = '${hex(1)}'`,
    finding: `a deleted message is left: r-5 3, message ${hex(3)}`,
  },
  {
    sql: `UPDATE event SET body = json_set(body, '$.content', 'secret 3') WHERE place = 'r-5' AND seq = 3`,
    finding: `a deleted text is left: r-5 3, message ${hex(3)}`,
  },
  {
    sql: `UPDATE event SET body = json_set(body, '$.nonce', 'r-5-1') WHERE place = 'r-6'`,
    finding: 'a nonce was stored twice: user 1, nonce r-5-1, 2 messages',
  },
  { sql: `UPDATE hole SET count = 7 WHERE place = 'r-5'`, finding: 'the count of holes is wrong: r-5: 7 instead of 3' },
])('reports after $sql', async ({ sql, finding }) => {
  await fill();
  harm(sql);
  const { code, out, err } = await verify();
  expect(code).toBe(1);
  expect(err).toContain(`chat-server verify: ${finding}\n`);
  expect(`${out}${err}`).not.toMatch(/secret|edited/);
});

it('counts old events that were removed, and with --allow-holes those in the middle', async () => {
  await fill();
  harm(`DELETE FROM event WHERE place = 'r-5' AND seq <= 2; DELETE FROM event WHERE place = 'r-6'`);
  const { code, out } = await verify();
  expect({ code, out }).toEqual({
    code: 0,
    out: 'places: 2, events: 4, messages: 4\nnumbers whose events were removed: 3\nnothing is wrong\n',
  });
  harm(`DELETE FROM event WHERE place = 'r-5' AND seq = 4`);
  expect((await verify()).err).toContain('numbers are missing: r-5 4');
  expect(await verify('--allow-holes')).toMatchObject({ code: 0, err: '' });
});

it('prints at most --max findings, and counts all', async () => {
  await fill();
  harm(`UPDATE message SET content = 'other'`);
  const { out, err } = await verify('--max', '1', '--file', file);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(out).toContain('findings: 4');
});

it('names a file that is missing or is no database', async () => {
  expect(await verify()).toMatchObject({ code: 1, err: expect.stringContaining(`DATA_DIR: ${file} does not exist`) });
  const { code, err } = await verify('--file', import.meta.filename);
  expect(code).toBe(1);
  expect(err).toContain('--file: file is not a database');
});
