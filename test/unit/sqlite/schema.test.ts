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
