import { expect, it } from 'vitest';
import { MemoryRoomDirectory } from '../../../../src/adapters/memory/room-directory.ts';
import { SqliteReadMarkers } from '../../../../src/adapters/sqlite/read-markers.ts';
import type { Caller } from '../../../../src/application/commands.ts';
import type { ReadMarkers } from '../../../../src/application/ports/read-markers.ts';
import type { PlaceKey } from '../../../../src/domain/place.ts';
import { completed, type TestServer, TestWorld } from '../../../support/application.ts';
import { passTime, turnEventLoop } from '../../../support/pass-time.ts';
import { PersonalEar } from '../../../support/personal-ear.ts';
import { TestClient } from '../../../support/test-client.ts';

const TEXT = { content: 'text', name: null, profileImage: null, nonce: null };

function listen(server: TestServer, caller: Caller, sessionId = `ear of ${caller.userId}`): Promise<PersonalEar> {
  return PersonalEar.listen(server, caller, sessionId);
}

async function start() {
  const world = await TestWorld.open();
  const one = await world.server({ id: 'one' });
  const other = await world.server({ id: 'other' });
  const say = async ({ app }: TestServer, caller: Caller, roomId = world.roomId) => {
    const stored = await completed(() => app.sendDirectMessage(caller, { ...TEXT, roomId }));
    await turnEventLoop();
    return stored;
  };
  return { world, one, other, say };
}

it('notifies a user on any server of a new message in a place to which the connection is not subscribed', async () => {
  const { world, one, other, say } = await start();
  const here = await listen(one, world.grace, 'here');
  const there = await listen(other, world.grace, 'there');
  await say(one, world.ada);
  const event = { kind: 'unread', place: world.room, count: 1, seq: 1 };
  expect([await here.hears(1), await there.hears(1)]).toEqual([[event], [event]]);
});

it('sends no notice to a connection that is subscribed, to the author, and to users of other places', async () => {
  const { world, one, say } = await start();
  const [subscribed, author, stranger] = [
    await listen(one, world.grace),
    await listen(one, world.ada),
    await listen(one, world.linus),
  ];
  subscribed.subscribed.add(world.room);
  const witness = await listen(one, world.grace, 'without a subscription');
  await say(one, world.ada);
  await witness.hears(1);
  await passTime(world.clock, 1_050);
  await say(one, world.grace);
  // The first notice that the author gets is about the message of another user.
  expect(await author.hears(1)).toEqual([{ kind: 'unread', place: world.room, count: 1, seq: 2 }]);
  expect([subscribed.heard, stranger.heard]).toEqual([[], []]);
});

it('sends one notice a place and second, with the count of all messages by then', async () => {
  const { world, one, other, say } = await start();
  const ear = await listen(one, world.ada);
  await say(one, world.grace);
  await ear.hears(1);
  for (let n = 2; n <= 5; n += 1) await say(n % 2 === 0 ? other : one, world.grace);
  await say(one, world.linus, world.otherRoomId);
  expect(await ear.hears(2)).toMatchObject([
    { place: world.room, count: 1 },
    { place: world.otherRoom, count: 1 },
  ]);
  await passTime(world.clock, 950);
  expect(ear.heard).toHaveLength(2);
  await passTime(world.clock, 100);
  await ear.hears(3);
  expect(ear.heard.slice(2)).toEqual([{ kind: 'unread', place: world.room, count: 5, seq: 5 }]);
  await passTime(world.clock, 3_000);
  expect(ear.heard).toHaveLength(3);
});

it('does not notify of edits and deletions, and counts the deleted message no more', async () => {
  const { world, one, say } = await start();
  const ear = await listen(one, world.ada);
  const { id } = await say(one, world.grace);
  await ear.hears(1);
  await say(one, world.grace);
  await passTime(world.clock, 1_050);
  await ear.hears(2);
  const target = { place: world.room, id, communityId: null, nonce: null };
  await completed(() => one.app.modifyMessage(world.grace, { ...target, content: 'changed' }));
  await completed(() => one.app.deleteMessage(world.grace, target));
  await passTime(world.clock, 2_000);
  expect(ear.heard).toMatchObject([{ count: 1 }, { count: 2 }]);
  await say(one, world.grace);
  await ear.hears(3);
  expect(ear.heard.slice(2)).toMatchObject([{ count: 2, seq: 5 }]);
});

it('counts nothing in a place that the user looks at in another session', async () => {
  const { world, one, other, say } = await start();
  const ear = await listen(one, world.grace);
  other.app.userConnected({
    sessionId: 'reader',
    token: world.grace.token,
    claimedUserId: null,
    client: new TestClient(),
  });
  const whereabouts = { kind: 'conversation', key: world.room } as const;
  await completed(() => other.app.moveToPlace(world.grace, { sessionId: 'reader', whereabouts }));
  await say(one, world.ada);
  await ear.hears(1);
  expect(ear.heard.filter(({ kind }) => kind === 'unread')).toMatchObject([{ count: 0, seq: 1 }]);
});

it('sends nothing to a connection that stopped to listen', async () => {
  const { world, one, say } = await start();
  const ear = await listen(one, world.grace);
  const witness = await listen(one, world.grace, 'still listening');
  one.app.ignorePersonalEvents(world.grace, ear);
  await say(one, world.ada);
  await witness.hears(1);
  expect(ear.heard).toEqual([]);
});

it('notifies of a place that a reported list adds or takes away, on every server', async () => {
  const { world, one, other, say } = await start();
  const here = await listen(one, world.linus, 'here');
  const there = await listen(other, world.linus, 'there');
  await one.app.replaceMembers(world.room, [world.ada.userId, world.linus.userId]);
  await turnEventLoop();
  await say(one, world.ada);
  await Promise.all([here.hears(2), there.hears(2)]);
  await one.app.replaceMembers(world.room, [world.ada.userId]);
  await turnEventLoop();
  await say(one, world.ada);
  await passTime(world.clock, 1_100);
  const expected = [
    { kind: 'added', place: world.room },
    { kind: 'unread', place: world.room, count: 1, seq: 1 },
    { kind: 'left', place: world.room },
  ];
  expect([here.heard, there.heard]).toEqual([expected, expected]);
});

it('hears of channels as of rooms, and of a community and its channels that a reported list adds', async () => {
  const { world, one, other } = await start();
  const { communityId, channelId } = world;
  const ear = await listen(other, world.linus);
  const say = () => completed(() => one.app.sendChannelMessage(world.ada, { communityId, channelId, ...TEXT }));
  await say();
  await one.app.replaceMembers(world.community, [world.ada.userId, world.linus.userId]);
  await passTime(world.clock, 100);
  expect(await ear.hears(2)).toEqual([
    { kind: 'added', place: world.community },
    { kind: 'added', place: world.channel },
  ]);
  await say();
  await passTime(world.clock, 100);
  expect((await ear.hears(3)).slice(2)).toEqual([{ kind: 'unread', place: world.channel, count: 2, seq: 2 }]);
  await one.app.replaceMembers(world.community, [world.ada.userId]);
  await passTime(world.clock, 100);
  expect((await ear.hears(5)).slice(3)).toEqual([
    { kind: 'left', place: world.community },
    { kind: 'left', place: world.channel },
  ]);
});

it('finds places that were added in the directory without a report, within four minutes', async () => {
  const world = await TestWorld.open();
  const places: PlaceKey[] = [world.otherRoom];
  class GrowingDirectory extends MemoryRoomDirectory {
    override async placesOf(): Promise<readonly PlaceKey[]> {
      return [...places];
    }
  }
  const server = await world.server({ ports: { directory: new GrowingDirectory(world.directory) } });
  const ear = await listen(server, world.linus);
  places.push('r-9999');
  await passTime(world.clock, 240_000);
  expect(ear.heard).toEqual([{ kind: 'added', place: 'r-9999' }]);
  places.length = 0;
  await passTime(world.clock, 240_000);
  expect(ear.heard.slice(1)).toEqual([
    { kind: 'left', place: world.otherRoom },
    { kind: 'left', place: 'r-9999' },
  ]);
});

/**
 * Members of the world's room who all listen on one server, with the number of counts they read.
 */
async function crowd(size: number) {
  const world = await TestWorld.open();
  let reads = 0;
  const stored = new SqliteReadMarkers({ database: world.database });
  const markers: ReadMarkers = {
    mark: (userId, places) => stored.mark(userId, places),
    markUpTo: (userId, place, seq) => stored.markUpTo(userId, place, seq),
    unread: (userId, places) => {
      reads += 1;
      return stored.unread(userId, places);
    },
  };
  const server = await world.server({ ports: { markers } });
  const members = Array.from({ length: size }, (_, i): Caller => {
    const userId = 1_000_000 + i;
    return { userId, token: `user-${userId}-x`, expiresAt: Number.POSITIVE_INFINITY };
  });
  await server.app.replaceMembers(world.room, [world.ada.userId, ...members.map(({ userId }) => userId)]);
  const ears = await Promise.all(members.map((caller) => listen(server, caller)));
  const say = () => completed(() => server.app.sendDirectMessage(world.ada, { ...TEXT, roomId: world.roomId }));
  return { world, ears, say, stored, reads: () => reads };
}

it('reads the count of each user once from the store, and carries it on', async () => {
  const { world, ears, say, reads } = await crowd(5);
  for (let count = 1; count <= 3; count += 1) {
    await say();
    await Promise.all(ears.map((ear) => ear.hears(count)));
    await passTime(world.clock, 1_050);
  }
  expect(ears.map(({ heard }) => heard.at(-1))).toEqual(
    ears.map(() => ({ kind: 'unread', place: world.room, count: 3, seq: 3 })),
  );
  expect(reads()).toBe(5);
});

it('reads no more than 200 counts a second from the store, and notifies everybody in the end', async () => {
  const { world, ears, say, stored, reads } = await crowd(60);
  await say();
  // The store answers in order, so every read that is allowed now is answered within these.
  for (let n = 0; n < 100; n += 1) await stored.unread(world.ada.userId, [world.room]);
  expect(reads()).toBeLessThanOrEqual(20);
  while (ears.some(({ heard }) => heard.length === 0)) await passTime(world.clock, 50);
  expect(reads()).toBe(60);
});

it('keeps a place that a report added while the places of the user were read', async () => {
  const world = await TestWorld.open();
  let answer = Promise.resolve();
  class SlowDirectory extends MemoryRoomDirectory {
    override async channelsOf(id: number) {
      await answer;
      return super.channelsOf(id);
    }
  }
  const server = await world.server({ ports: { directory: new SlowDirectory(world.directory) } });
  const held = Promise.withResolvers<void>();
  answer = held.promise;
  const listening = listen(server, world.grace);
  await turnEventLoop();
  await server.app.replaceMembers(world.otherRoom, [world.ada.userId, world.grace.userId]);
  held.resolve();
  const ear = await listening;
  await completed(() => server.app.sendDirectMessage(world.ada, { ...TEXT, roomId: world.otherRoomId }));
  expect(await ear.hears(1)).toEqual([{ kind: 'unread', place: world.otherRoom, count: 1, seq: 1 }]);
});
