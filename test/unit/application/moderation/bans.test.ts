import { expect, it } from 'vitest';
import { type TestServer, TestWorld } from '../../../support/application.ts';
import { passTime, turnEventLoop } from '../../../support/pass-time.ts';
import { TestClient } from '../../../support/test-client.ts';

const ADMIN = 'ops';

async function twoServers() {
  const world = await TestWorld.open();
  const one = await world.server({ id: 'one' });
  const two = await world.server({ id: 'two' });
  await passTime(world.clock, 500);
  return { world, one, two };
}

function connect({ app }: TestServer, sessionId: string, { token }: { readonly token: string }): TestClient {
  const client = new TestClient(() => app.userDisconnected(sessionId));
  app.userConnected({ sessionId, token, claimedUserId: null, client });
  return client;
}

const BANNED = expect.objectContaining({ code: 'not-permitted', message: 'you are banned' });

it('ends the sessions of a banned user on every server with the ban as the reason', async () => {
  const { world, one, two } = await twoServers();
  const { ada, grace } = world;
  const clients = [connect(one, 'a', ada), connect(one, 'b', ada), connect(two, 'c', ada)];
  const other = connect(two, 'd', grace);
  await one.app.service.ban(ADMIN, { userId: ada.userId, until: null, reason: 'spam' });
  await turnEventLoop();
  expect(clients.map(({ ends }) => ends)).toEqual([[BANNED], [BANNED], [BANNED]]);
  expect(other.ends).toEqual([]);
});

it('refuses a banned user who connects or calls, on every server', async () => {
  const { world, one, two } = await twoServers();
  const { ada, grace } = world;
  await one.app.service.ban(ADMIN, { userId: ada.userId, until: null, reason: null });
  await turnEventLoop();
  for (const server of [one, two]) {
    expect(() => connect(server, 'x', ada)).toThrow(BANNED);
    expect(() => server.app.authenticate(ada.token, null)).toThrow(BANNED);
    expect(() => server.app.refreshToken(ada, ada.token)).toThrow(BANNED);
    expect(server.app.authenticate(grace.token, null)).toMatchObject({ userId: grace.userId });
  }
});

it('refuses a message of a banned user that was on its way', async () => {
  const { world, one } = await twoServers();
  const { ada, roomId } = world;
  await one.app.service.ban(ADMIN, { userId: ada.userId, until: null, reason: null });
  const message = { roomId, content: 'x', name: null, profileImage: null, nonce: null };
  expect(() => one.app.sendDirectMessage(ada, message)).toThrow(BANNED);
});

it('lets a user in again when the ban ends, or is lifted on another server', async () => {
  const { world, one, two } = await twoServers();
  const { ada, grace, clock } = world;
  const until = clock.now() + 60_000;
  await one.app.service.ban(ADMIN, { userId: ada.userId, until, reason: null });
  await one.app.service.ban(ADMIN, { userId: grace.userId, until: null, reason: null });
  await passTime(clock, 100);
  expect(() => two.app.authenticate(ada.token, null)).toThrow(
    expect.objectContaining({ message: 'you are banned until 2026-11-22 15:50:36 UTC' }),
  );
  await two.app.service.unban(ADMIN, grace.userId);
  await turnEventLoop();
  expect(one.app.authenticate(grace.token, null)).toMatchObject({ userId: grace.userId });
  await passTime(clock, 60_000);
  expect(two.app.authenticate(ada.token, null)).toMatchObject({ userId: ada.userId });
  expect(one.app.service.bans()).toEqual([]);
});

it('knows the bans on a server that starts later', async () => {
  const { world, one } = await twoServers();
  await one.app.service.ban(ADMIN, { userId: world.ada.userId, until: null, reason: null });
  const three = await world.server({ id: 'three' });
  expect(() => three.app.authenticate(world.ada.token, null)).toThrow(BANNED);
});

it('lists the bans that hold, with who gave them and when, on every server', async () => {
  const { world, one, two } = await twoServers();
  const { ada, grace, clock } = world;
  const at = clock.now();
  await one.app.service.ban('app', { userId: ada.userId, until: null, reason: 'first' });
  await one.app.service.ban(ADMIN, { userId: ada.userId, until: at + 5_000, reason: 'second' });
  await two.app.service.ban(ADMIN, { userId: grace.userId, until: null, reason: null });
  await turnEventLoop();
  const expected = [
    { userId: ada.userId, until: at + 5_000, reason: 'second', admin: ADMIN, at },
    { userId: grace.userId, until: null, reason: null, admin: ADMIN, at },
  ];
  expect([one.app.service.bans(), two.app.service.bans()]).toEqual([expected, expected]);
});

it('refuses a ban that ends in the past, or with a reason of more than 1,000 characters', async () => {
  const { world, one } = await twoServers();
  const ban = { userId: world.ada.userId, until: null, reason: null };
  const refused = expect.objectContaining({ code: 'bad-input' });
  await expect(one.app.service.ban(ADMIN, { ...ban, until: world.clock.now() })).rejects.toEqual(refused);
  await expect(one.app.service.ban(ADMIN, { ...ban, reason: 'x'.repeat(1_001) })).rejects.toEqual(refused);
  expect(one.app.service.bans()).toEqual([]);
});

it('bans within two seconds on a server that the bus does not reach', async () => {
  const { world, one, two } = await twoServers();
  const client = connect(two, 'a', world.ada);
  world.broker.stop();
  await one.app.service.ban(ADMIN, { userId: world.ada.userId, until: null, reason: null });
  await passTime(world.clock, 1_500);
  expect(client.ends).toEqual([BANNED]);
  world.broker.restart();
});

it('ends all sessions of a user once, says how many there were, and lets the user come back', async () => {
  const { world, one, two } = await twoServers();
  const { ada, clock } = world;
  const clients = [connect(one, 'a', ada), connect(two, 'b', ada)];
  await passTime(clock, 500);
  expect(await one.app.service.disconnect(ADMIN, ada.userId)).toBe(2);
  await turnEventLoop();
  const ended = expect.objectContaining({ code: 'not-permitted', message: 'an administrator has ended the session' });
  expect(clients.map(({ ends }) => ends)).toEqual([[ended], [ended]]);
  const back = connect(two, 'c', ada);
  await passTime(clock, 5_000);
  expect(back.ends).toEqual([]);
  expect(await one.app.service.disconnect(ADMIN, world.grace.userId)).toBe(0);
});

it('refuses everybody with a wish for patience while the bans are not known, and reads them later', async () => {
  const world = await TestWorld.open();
  let isAway = true;
  const { moderationStore } = world;
  const server = await world.server({
    ports: {
      moderationStore: {
        append: (order, admin) => moderationStore.append(order, admin),
        ordersAfter: async (after, limit) => {
          if (isAway) throw new Error('the database does not answer');
          return moderationStore.ordersAfter(after, limit);
        },
        takeTurn: (place, userId, ms) => moderationStore.takeTurn(place, userId, ms),
        entriesOf: (userId) => moderationStore.entriesOf(userId),
        forgetUser: (userId) => moderationStore.forgetUser(userId),
      },
    },
  });
  const call = () => server.app.authenticate(world.ada.token, null);
  expect(call).toThrow(expect.objectContaining({ code: 'try-again' }));
  isAway = false;
  await passTime(world.clock, 1_500);
  expect(call()).toMatchObject({ userId: world.ada.userId });
});

it('reads all orders again after a long pause, without ending sessions by an old one', async () => {
  const { world, one } = await twoServers();
  const { ada, clock } = world;
  await one.app.service.ban(ADMIN, { userId: world.grace.userId, until: null, reason: null });
  await one.app.service.disconnect(ADMIN, ada.userId);
  const back = connect(one, 'a', ada);
  clock.stall(2 * 60 * 60 * 1000);
  await passTime(clock, 1_500);
  expect(back.ends).toEqual([]);
  expect(one.app.service.bans()).toMatchObject([{ userId: world.grace.userId }]);
});
