import { expect, it } from 'vitest';
import type { PlaceKey } from '../../../../src/domain/place.ts';
import { SERVER, type TestServer, TestWorld } from '../../../support/application.ts';
import { passTime } from '../../../support/pass-time.ts';
import { TestClient } from '../../../support/test-client.ts';

async function twoServers() {
  const world = await TestWorld.open();
  const one = await world.server({ id: 'one' });
  const two = await world.server({
    id: 'two',
    ports: { serverFacts: { read: () => ({ ...SERVER, sessions: 7, lag: 3 }) } },
  });
  await passTime(world.clock, 500);
  return { world, one, two };
}

/** Lets servers answer while the question waits. */
async function asked<T>(world: TestWorld, question: Promise<T>, ms = 200): Promise<T> {
  await passTime(world.clock, ms);
  return question;
}

function connect({ app }: TestServer, sessionId: string, token: string, client: TestClient): void {
  app.userConnected({ sessionId, token, claimedUserId: null, client });
}

it("lists a user's sessions on all servers, the oldest first", async () => {
  const { world, one, two } = await twoServers();
  const { ada, grace, clock } = world;
  const since = clock.now();
  const facts = { address: '10.0.0.7', transport: 'xhr', places: [world.room], subscriptions: 2, waitingBytes: 17 };
  connect(two, 'a', ada.token, new TestClient(undefined, facts));
  clock.pass(10);
  connect(one, 'b', ada.token, new TestClient());
  connect(two, 'c', grace.token, new TestClient());
  expect(await asked(world, one.app.service.sessions(ada.userId))).toEqual({
    seen: [
      { server: 'two', since, ...facts },
      {
        server: 'one',
        since: since + 10,
        address: '127.0.0.1',
        transport: 'test',
        places: [],
        subscriptions: 0,
        waitingBytes: 0,
      },
    ],
    missing: [],
  });
  expect(await asked(world, two.app.service.sessions(world.linus.userId))).toEqual({ seen: [], missing: [] });
});

it('lists who is subscribed to a place and who looks at it, on all servers', async () => {
  const { world, one, two } = await twoServers();
  const { ada, grace, room } = world;
  await one.subscribe(ada, room);
  await two.subscribe(ada, room);
  await two.subscribe(grace, room);
  connect(two, 'g', grace.token, new TestClient());
  await two.app.moveToPlace(grace, { sessionId: 'g', whereabouts: { kind: 'conversation', key: room } });
  expect(await asked(world, one.app.service.presence(room))).toEqual({
    seen: { subscribed: [ada.userId, grace.userId], looking: [grace.userId], leftOut: 0 },
    missing: [],
  });
  expect(await asked(world, one.app.service.presence(world.community))).toEqual({
    seen: { subscribed: [], looking: [], leftOut: 0 },
    missing: [],
  });
});

it('lists the live servers with their state', async () => {
  const { world, one } = await twoServers();
  expect(await asked(world, one.app.service.servers())).toEqual({
    seen: [
      { server: 'one', ...SERVER },
      { server: 'two', ...SERVER, sessions: 7, lag: 3 },
    ],
    missing: [],
  });
});

it('adds up the traffic of the busiest places over all servers', async () => {
  const { world, one, two } = await twoServers();
  const { room, otherRoom, channel } = world;
  const traffic = (place: PlaceKey, events: number, deliveries: number) => ({
    place,
    events,
    deliveries,
    subscriptions: 2,
  });
  one.subscribers.traffic = { seconds: 5, places: [traffic(room, 10, 100), traffic(otherRoom, 5, 10)] };
  two.subscribers.traffic = { seconds: 10, places: [traffic(channel, 20, 400), traffic(room, 10, 50)] };
  expect(await asked(world, one.app.service.busiest(10))).toEqual({
    seen: [
      { place: channel, eventsPerSecond: 2, deliveriesPerSecond: 40, subscriptions: 2 },
      { place: room, eventsPerSecond: 2, deliveriesPerSecond: 25, subscriptions: 4 },
      { place: otherRoom, eventsPerSecond: 1, deliveriesPerSecond: 2, subscriptions: 2 },
    ],
    missing: [],
  });
  expect((await asked(world, two.app.service.busiest(1))).seen).toMatchObject([{ place: channel }]);
});

it('asks for the busiest places again after a second where a server has just begun to count', async () => {
  const { world, one, two } = await twoServers();
  const places = [{ place: world.room, events: 3, deliveries: 6, subscriptions: 2 }];
  one.subscribers.traffic = { seconds: 10, places: [] };
  const question = one.app.service.busiest(10);
  await passTime(world.clock, 500);
  two.subscribers.traffic = { seconds: 1, places };
  await passTime(world.clock, 1_000);
  expect((await question).seen).toMatchObject([{ place: world.room, eventsPerSecond: 3, deliveriesPerSecond: 6 }]);
});

it('lists the clients of all servers for which bytes wait, the slowest first', async () => {
  const { world, one, two } = await twoServers();
  const { ada, grace, linus } = world;
  const since = world.clock.now();
  const slow = (waitingBytes: number) => new TestClient(undefined, { waitingBytes, subscriptions: 3 });
  connect(one, 'a', ada.token, slow(10));
  connect(one, 'b', ada.token, new TestClient());
  connect(two, 'c', grace.token, slow(2_000));
  connect(two, 'd', linus.token, slow(300));
  const client = { since, address: '127.0.0.1', transport: 'test', subscriptions: 3 };
  expect(await asked(world, one.app.service.slowClients(2))).toEqual({
    seen: {
      clients: [
        { server: 'two', userId: grace.userId, ...client, waitingBytes: 2_000 },
        { server: 'two', userId: linus.userId, ...client, waitingBytes: 300 },
      ],
      leftOut: 1,
    },
    missing: [],
  });
});

it('counts the slow clients of a server that it does not name', async () => {
  const { world, one } = await twoServers();
  for (let i = 1; i <= 103; i++)
    connect(one, String(i), world.ada.token, new TestClient(undefined, { waitingBytes: i }));
  const { seen } = await asked(world, one.app.service.slowClients(200));
  expect([seen.clients.length, seen.leftOut, seen.clients[0]?.waitingBytes]).toEqual([100, 3, 103]);
});

it('answers without a server that does not answer in time, and names it', async () => {
  const { world, one } = await twoServers();
  world.broker.hold('two');
  expect(await asked(world, one.app.service.servers(), 1_600)).toEqual({
    seen: [{ server: 'one', ...SERVER }],
    missing: ['two'],
  });
  world.broker.release('two');
});
