import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { prepareSchema } from '../../../src/adapters/sqlite/schema.ts';
import { callsOn } from '../../../src/adapters/sqlite/worker-calls.ts';
import { newPlace, newUser, said } from '../../contracts/world.ts';
import { takeBackSchema } from '../../support/older-schema.ts';

it('keeps the greatest number of each place of an older file, also where its events were removed', () => {
  const db = new DatabaseSync(':memory:');
  prepareSchema(db, 'the test');
  const calls = callsOn(db, () => {});
  const [whole, cut, empty] = [newPlace(), newPlace(), newPlace()];
  for (const place of [whole, cut, empty]) {
    calls.append([{ place, first: 1, drafts: [said(place, 'a'), said(place, 'b'), said(place, 'c')] }], 0);
  }
  takeBackSchema(db, 4);
  db.prepare('DELETE FROM event WHERE place = ? AND seq > 1').run(cut);
  db.prepare('DELETE FROM event WHERE place = ?').run(empty);
  prepareSchema(db, 'the test');
  const places = [whole, cut, empty];
  expect(callsOn(db, () => {}).newest(places)).toEqual(new Map(places.map((place) => [place, 3])));
  db.close();
});

it('turns the read times of an older file into numbers: the newest message up to each time', () => {
  const db = new DatabaseSync(':memory:');
  prepareSchema(db, 'the test');
  const calls = callsOn(db, () => {});
  const [place, empty] = [newPlace(), newPlace()];
  const [other, early, late, between] = [newUser(), newUser(), newUser(), newUser()];
  const drafts = [1_000, 3_000, 2_000, 4_000].map((time) => said(place, 'x', { userId: other, time }));
  calls.append([{ place, first: 1, drafts }], 0);
  takeBackSchema(db, 3);
  const insert = db.prepare('INSERT INTO read_marker VALUES (?, ?, ?)');
  insert.run(place, early, 500);
  insert.run(place, between, 2_500);
  insert.run(place, late, 9_000);
  insert.run(empty, late, 9_000);
  prepareSchema(db, 'the test');
  const migrated = callsOn(db, () => {});
  const count = (userId: number) => migrated.unread(userId, [place])[0]?.count;
  expect([count(early), count(between), count(late), count(newUser())]).toEqual([4, 1, 0, 4]);
  db.close();
});

it('gathers several MB in the WAL before it copies them to the main file, and then writes it anew', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chat-schema-'));
  const file = join(folder, 'chat.db');
  const db = new DatabaseSync(file);
  try {
    prepareSchema(db, file);
    db.exec('PRAGMA synchronous = OFF');
    const [calls, place] = [callsOn(db), newPlace()];
    const wal = () => statSync(`${file}-wal`).size;
    const write = (events: number, first: number) => {
      db.exec('BEGIN');
      calls.append([{ place, first, drafts: Array.from({ length: events }, () => said(place, 'x'.repeat(4_000))) }], 0);
      db.exec('COMMIT');
    };
    const before = statSync(file).size;
    write(800, 1);
    expect([statSync(file).size, wal() > 5_000_000]).toEqual([before, true]);
    for (let first = 801; first < 5_600; first += 800) write(800, first);
    expect([statSync(file).size > 15_000_000, wal() < 30_000_000]).toEqual([true, true]);
  } finally {
    db.close();
    rmSync(folder, { recursive: true });
  }
});
