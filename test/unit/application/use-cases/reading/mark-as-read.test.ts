import { expect, it } from 'vitest';
import type { Caller } from '../../../../../src/application/commands.ts';
import type { ConversationKey } from '../../../../../src/domain/place.ts';
import { completed, startApplication, type TestServer, TestWorld } from '../../../../support/application.ts';
import { passTime, turnEventLoop } from '../../../../support/pass-time.ts';
import { PersonalEar } from '../../../../support/personal-ear.ts';
import { TestClient } from '../../../../support/test-client.ts';

const TEXT = { content: 'text', name: null, profileImage: null, nonce: null };

async function start() {
  const world = await TestWorld.open();
  const one = await world.server({ id: 'one' });
  const other = await world.server({ id: 'other' });
  for (let n = 1; n <= 4; n += 1) {
    await completed(() => one.app.sendDirectMessage(world.grace, { ...TEXT, roomId: world.roomId }));
  }
  // The other server hears of these messages before anybody listens there.
  await passTime(world.clock, 500);
  return { world, one, other };
}

function read({ app }: TestServer, caller: Caller, place: ConversationKey, seq: number, sessionId = 'reader') {
  return completed(() => app.markAsRead(caller, { sessionId, place, seq }));
}

async function count({ app }: TestServer, caller: Caller, place: ConversationKey) {
  const [unread] = await app.unread(caller, { places: [place] });
  return unread !== undefined && 'count' in unread ? unread.count : null;
}

it('marks the messages up to a number as read, and never goes back', async () => {
  const { world, one, other } = await start();
  await read(one, world.ada, world.room, 3);
  expect(await count(other, world.ada, world.room)).toBe(1);
  await read(other, world.ada, world.room, 1);
  expect(await count(one, world.ada, world.room)).toBe(1);
});

it('keeps the further of the number and the moment at which the user left', async () => {
  const { world, one } = await start();
  one.app.userConnected({ sessionId: 'reader', token: world.ada.token, claimedUserId: null, client: new TestClient() });
  for (const key of [world.room, world.otherRoom]) {
    const whereabouts = { kind: 'conversation', key } as const;
    await completed(() => one.app.moveToPlace(world.ada, { sessionId: 'reader', whereabouts }));
  }
  await read(one, world.ada, world.room, 2);
  expect(await count(one, world.ada, world.room)).toBe(0);
});

it('refuses a user who is not a member of the place, and changes nothing', async () => {
  const { world, one } = await start();
  await expect(read(one, world.linus, world.room, 4)).rejects.toMatchObject({ code: 'not-permitted' });
});

it('limits how often a user may do it, like moves', async () => {
  const world = await TestWorld.open();
  const server = await world.server({ limits: { messagesPerSecond: 1, messagesBurst: 2 } });
  await read(server, world.ada, world.room, 0);
  await read(server, world.ada, world.room, 0);
  await expect(read(server, world.ada, world.room, 0)).rejects.toMatchObject({ code: 'too-fast' });
});

it('reports it to the other sessions of the user on every server, and not to the session itself', async () => {
  const { world, one, other } = await start();
  const reading = await PersonalEar.listen(one, world.ada, 'reading');
  const here = await PersonalEar.listen(one, world.ada, 'here');
  const there = await PersonalEar.listen(other, world.ada, 'there');
  const stranger = await PersonalEar.listen(other, world.grace, 'of another user');
  await passTime(world.clock, 500);
  await read(one, world.ada, world.room, 3, 'reading');
  const expected = [{ kind: 'read', place: world.room, seq: 3 }];
  expect([await here.hears(1), await there.hears(1)]).toEqual([expected, expected]);
  expect([reading.heard, stranger.heard]).toEqual([[], []]);
});

it('reports a place that the user entered, and counts from there', async () => {
  const { world, one, other } = await start();
  const there = await PersonalEar.listen(other, world.ada, 'there');
  one.app.userConnected({ sessionId: 'reader', token: world.ada.token, claimedUserId: null, client: new TestClient() });
  await passTime(world.clock, 500);
  const move = async (key: ConversationKey) => {
    const whereabouts = { kind: 'conversation', key } as const;
    await completed(() => one.app.moveToPlace(world.ada, { sessionId: 'reader', whereabouts }));
  };
  await move(world.room);
  expect(await there.hears(1)).toEqual([{ kind: 'read', place: world.room, seq: 4 }]);
  await move(world.otherRoom);
  await there.hears(2);
  await completed(() => one.app.sendDirectMessage(world.grace, { ...TEXT, roomId: world.roomId }));
  await turnEventLoop();
  expect((await there.hears(3))[2]).toEqual({ kind: 'unread', place: world.room, count: 1, seq: 5 });
});

it('reports it to a session on another server that is not known here yet', async () => {
  const { world, one, other } = await start();
  await passTime(world.clock, 500);
  const there = await PersonalEar.listen(other, world.ada, 'there');
  await read(one, world.ada, world.room, 3);
  expect(await there.hears(1)).toEqual([{ kind: 'read', place: world.room, seq: 3 }]);
});

it('publishes nothing while no other server is known', async () => {
  const { world, ...alone } = await startApplication();
  await completed(() => alone.app.sendDirectMessage(world.ada, { ...TEXT, roomId: world.roomId }));
  const kinds: string[] = [];
  const publish = alone.ports.bus.publish.bind(alone.ports.bus);
  alone.ports.bus.publish = (records) => {
    kinds.push(...records.map(({ event }) => event.kind));
    return publish(records);
  };
  await read(alone, world.grace, world.room, 1);
  expect(kinds).not.toContain('read');
});
