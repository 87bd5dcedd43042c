import { expect, it } from 'vitest';
import { TestWorld } from '../../../../support/application.ts';
import { passTime } from '../../../../support/pass-time.ts';
import { TestClient } from '../../../../support/test-client.ts';

async function setUp() {
  const world = await TestWorld.open();
  const a = await world.server({ id: 'a' });
  const b = await world.server({ id: 'b' });
  const connect = ({ app }: typeof a, { token, userId }: typeof world.ada) => {
    app.userConnected({ sessionId: `${world.roomId}-${userId}`, token, claimedUserId: null, client: new TestClient() });
  };
  const pass = (ms: number) => passTime(world.clock, ms);
  return { world, a, b, connect, pass };
}

it('lists the members who are online on any server by ascending id', async () => {
  const { world, a, b, connect, pass } = await setUp();
  expect(await a.app.online(world.ada, { place: world.room })).toEqual([]);
  connect(a, world.grace);
  connect(b, world.ada);
  await pass(300);
  expect(await a.app.online(world.ada, { place: world.room })).toEqual([world.ada.userId, world.grace.userId]);
});

it('does not list online users who are not members', async () => {
  const { world, a, connect } = await setUp();
  connect(a, world.linus);
  connect(a, world.grace);
  expect(await a.app.online(world.ada, { place: world.community })).toEqual([world.grace.userId]);
});

it('lists a user in the grace period as online, and not any more when it is over', async () => {
  const { world, a, b, connect, pass } = await setUp();
  connect(b, world.grace);
  await pass(300);
  b.app.userDisconnected(`${world.roomId}-${world.grace.userId}`);
  await pass(1_900);
  expect(await a.app.online(world.ada, { place: world.room })).toEqual([world.grace.userId]);
  expect(await b.app.online(world.ada, { place: world.room })).toEqual([world.grace.userId]);
  await pass(500);
  expect(await a.app.online(world.ada, { place: world.room })).toEqual([]);
  expect(await b.app.online(world.ada, { place: world.room })).toEqual([]);
});

it('lists only those online who may read a private channel', async () => {
  const { world, a, connect } = await setUp();
  connect(a, world.ada);
  connect(a, world.grace);
  expect(await a.app.online(world.ada, { place: world.privateChannel })).toEqual([world.ada.userId]);
});

it('refuses to list who is online in a place of which the user is not a member', async () => {
  const { world, a } = await setUp();
  for (const place of [world.room, world.community, world.channel]) {
    await expect(a.app.online(world.linus, { place })).rejects.toMatchObject({ code: 'not-permitted' });
  }
});
