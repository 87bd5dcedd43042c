import { expect, it } from 'vitest';
import { SqliteMessageStore } from '../../../../../src/adapters/sqlite/message-store.ts';
import type { ConversationKey } from '../../../../../src/domain/place.ts';
import type { SequencedEvent } from '../../../../../src/domain/stored-event.ts';
import { completed, startApplication, type TestServerOptions, TestWorld } from '../../../../support/application.ts';
import type { TestSubscriber } from '../../../../support/test-subscribers.ts';

const TEXT = { name: null, profileImage: null, nonce: null };

async function start(options: TestServerOptions = {}, messages = 0) {
  const server = await startApplication(options);
  const { app, world } = server;
  const { roomId } = world;
  const say = (content: string) => completed(() => app.sendDirectMessage(world.ada, { roomId, content, ...TEXT }));
  for (let n = 1; n <= messages; n += 1) await say(`text ${n}`);
  return { ...server, say };
}

const seqs = ({ heard }: TestSubscriber) => heard.map((event) => ('seq' in event ? event.seq : null));

it('without a last number, delivers only events from now on', async () => {
  const { world, say, subscribe } = await start({}, 2);
  const grace = await subscribe(world.grace, world.room);
  await say('text 3');
  await grace.hears(1);
  expect(seqs(grace)).toEqual([3]);
});

it('answers with the number of the newest event that the subscription has', async () => {
  const { app, world, subscribers } = await start({}, 2);
  for (const lastSeq of [null, 1]) {
    const sink = subscribers.sink(world.grace, world.room);
    expect(await completed(() => app.subscribe(world.grace, { place: world.room, lastSeq, sink }))).toEqual({ seq: 2 });
  }
});

it('replays the events after the last number, then delivers new ones, without a gap or a repeat', async () => {
  const { world, say, subscribe } = await start({}, 4);
  const grace = await subscribe(world.grace, world.room, 2);
  expect(seqs(grace)).toEqual([3, 4]);
  await say('text 5');
  await grace.hears(3);
  expect(seqs(grace)).toEqual([3, 4, 5]);
  expect(grace.resetTo).toBeNull();
});

it('delivers each event once while messages are sent during the replay', async () => {
  const { world, app, say, subscribers } = await start({}, 50);
  const sink = subscribers.sink(world.grace, world.room);
  const subscribed = completed(() => app.subscribe(world.grace, { place: world.room, lastSeq: 0, sink }));
  await Promise.all(Array.from({ length: 50 }, (_, n) => say(`text ${51 + n}`)));
  await subscribed;
  await sink.hears(100);
  expect(seqs(sink)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
});

it('replays nothing to a client that has the newest event already', async () => {
  const { world, subscribe } = await start({}, 3);
  const grace = await subscribe(world.grace, world.room, 3);
  expect([grace.heard, grace.resetTo, grace.isLive]).toEqual([[], null, true]);
});

it('replays events that another server has stored and this one has not heard', async () => {
  const world = await TestWorld.open();
  const first = await world.server({ id: 'server-1' });
  const second = await world.server({ id: 'server-2' });
  const { roomId } = world;
  await second.subscribe(world.grace, world.room);
  world.broker.hold('server-2');
  await completed(() => first.app.sendDirectMessage(world.ada, { roomId, content: 'text', ...TEXT }));
  const late = await second.subscribe(world.grace, world.room, 0);
  expect(seqs(late)).toEqual([1]);
});

it('resets a client whose last number is higher than the newest of the place, and makes it live', async () => {
  const { world, telemetry, say, subscribe } = await start({}, 3);
  const grace = await subscribe(world.grace, world.room, 4);
  expect([grace.heard, grace.resetTo, grace.isLive]).toEqual([[], 3, true]);
  expect(telemetry.observations.filter(({ kind }) => kind === 'resume')).toEqual([
    { kind: 'resume', result: 'reset', events: 0 },
  ]);
  await say('text 4');
  await grace.hears(1);
  expect(seqs(grace)).toEqual([4]);
});

it('resets a client that missed more events than a resume may replay', async () => {
  const { world, subscribe } = await start({ limits: { resumeEvents: 3 } }, 5);
  const inside = await subscribe(world.grace, world.room, 2);
  expect([seqs(inside), inside.resetTo]).toEqual([[3, 4, 5], null]);
  const outside = await subscribe(world.grace, world.room, 1);
  expect([seqs(outside), outside.resetTo, outside.isLive]).toEqual([[], 5, true]);
});

it('measures resumes by their events, and not subscriptions without a last number', async () => {
  const { world, telemetry, subscribe } = await start({}, 3);
  const resumes = () => telemetry.observations.filter(({ kind }) => kind === 'resume');
  await subscribe(world.grace, world.room);
  expect(resumes()).toEqual([]);
  await subscribe(world.grace, world.room, 1);
  expect(resumes()).toEqual([{ kind: 'resume', result: 'replayed', events: 2 }]);
});

it('replays a deleted message without its text', async () => {
  const { world, app, say, subscribe } = await start({}, 1);
  const { id } = await say('secret');
  await completed(() => app.deleteMessage(world.ada, { place: world.room, id, communityId: null, nonce: null }));
  const grace = await subscribe(world.grace, world.room, 1);
  expect(grace.heard).toMatchObject([
    { kind: 'message', seq: 2, content: '' },
    { kind: 'delete', seq: 3 },
  ]);
});

it.each([
  ['remembers', true],
  ['has to read', false],
])('replays a reply without the text of its deleted parent from events that the server %s', async (_, remembers) => {
  const { world, app, say, subscribe } = await start();
  const { roomId } = world;
  if (remembers) await subscribe(world.grace, world.room);
  const { id } = await say('secret');
  const reply = { roomId, content: 'reply', parentId: id, ...TEXT };
  await completed(() => app.replyInRoom(world.ada, reply));
  await completed(() => app.deleteMessage(world.ada, { place: world.room, id, communityId: null, nonce: null }));
  const late = await subscribe(world.grace, world.room, 0);
  expect(late.heard).toMatchObject([
    { kind: 'message', content: '' },
    { kind: 'reply', content: 'reply', parentId: id, parentName: '', parentContent: null },
    { kind: 'delete' },
  ]);
});

/** A store in which a newer server has written the event number 2. */
class NewerStore extends SqliteMessageStore {
  override async eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]> {
    const events = await super.eventsAfter(place, after, limit);
    return events.map((event) => (event.seq === 2 ? { kind: 'unknown', place, seq: 2 } : event));
  }
}

it('skips an event of an unknown kind in a replay and still reaches the newest number', async () => {
  const world = await TestWorld.open();
  const now = () => world.clock.now();
  const { app, subscribe } = await world.server({
    ports: { store: new NewerStore({ database: world.database, now }) },
  });
  const { roomId } = world;
  const say = (content: string) => completed(() => app.sendDirectMessage(world.ada, { roomId, content, ...TEXT }));
  for (const content of ['1', '2', '3']) await say(content);
  const grace = await subscribe(world.grace, world.room, 0);
  expect(seqs(grace)).toEqual([1, 3]);
  expect(grace.isLive).toBe(true);
  const behind = await subscribe(world.grace, world.room, 2);
  expect(seqs(behind)).toEqual([3]);
});

it('makes a subscription to a community live at once, with the number 0', async () => {
  const { world, app, subscribers } = await start();
  const sink = subscribers.sink(world.grace, world.community);
  const subscription = { place: world.community, lastSeq: null, sink };
  expect(await completed(() => app.subscribe(world.grace, subscription))).toEqual({ seq: 0 });
  expect([sink.isAdmitted, sink.isLive]).toEqual([true, true]);
});

it('refuses to resume in a community, which has no numbered events', async () => {
  const { world, subscribe } = await start();
  await expect(subscribe(world.grace, world.community, 0)).rejects.toMatchObject({
    code: 'bad-input',
    message: `${world.community} has no numbered events, so a subscription cannot resume there`,
  });
});

it.each(['room', 'channel', 'community', 'privateChannel'] as const)(
  'refuses a subscription to a %s by somebody who is not a member, and admits nothing',
  async (kind) => {
    const { world, app, subscribers } = await start({}, 1);
    const stranger = kind === 'privateChannel' ? world.grace : world.linus;
    const sink = subscribers.sink(stranger, world[kind]);
    const subscription = { place: world[kind], lastSeq: null, sink };
    await expect(completed(() => app.subscribe(stranger, subscription))).rejects.toMatchObject({
      code: 'not-permitted',
    });
    expect([sink.isAdmitted, sink.isLive, sink.heard]).toEqual([false, false, []]);
  },
);
