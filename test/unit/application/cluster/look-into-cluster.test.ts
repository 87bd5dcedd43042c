import { expect, it } from 'vitest';
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

it('answers without a server that does not answer in time, and names it', async () => {
  const { world, one } = await twoServers();
  world.broker.hold('two');
  expect(await asked(world, one.app.service.servers(), 1_600)).toEqual({
    seen: [{ server: 'one', ...SERVER }],
    missing: ['two'],
  });
  world.broker.release('two');
});
