import { expect, it } from 'vitest';
import type { TraceLine, TraceStream } from '../../../../src/application/service-calls.ts';
import { MAX_WAITING_STEPS, UNREAD_MS } from '../../../../src/application/traces/trace-table.ts';
import { completed, type TestServer, TestWorld } from '../../../support/application.ts';
import { passTime, turnEventLoop } from '../../../support/pass-time.ts';

async function twoServers() {
  const world = await TestWorld.open();
  const one = await world.server({ id: 'one' });
  const two = await world.server({ id: 'two' });
  await passTime(world.clock, 500);
  const user = { kind: 'user', userId: world.ada.userId } as const;
  return { world, one, two, user };
}

/** Waits for a call between servers. */
async function answered<T>(world: TestWorld, call: Promise<T>, ms = 100): Promise<T> {
  await passTime(world.clock, ms);
  return call;
}

/** Reads a trace into a list while time passes. */
async function reading(world: TestWorld, { app }: TestServer, id: string) {
  const stream = await answered(world, app.service.readTrace(id));
  if (stream === null || stream === 'taken') throw new Error(`cannot read: ${stream}`);
  const lines: TraceLine[] = [];
  const done = collect(stream, lines);
  await turnEventLoop();
  return { stream, lines, done };
}

async function collect(stream: TraceStream, lines: TraceLine[]): Promise<void> {
  for await (const line of stream.lines()) lines.push(line);
}

function begin(server: TestServer, subject: Parameters<TestServer['app']['service']['beginTrace']>[1]['subject']) {
  return server.app.service.beginTrace('ops', { subject, minutes: 10, nonce: null });
}

const steps = (lines: readonly TraceLine[]) => lines.filter((line) => line.type === 'step');

function say(world: TestWorld, { app }: TestServer, content: string) {
  const { roomId, ada } = world;
  return completed(() => app.sendDirectMessage(ada, { roomId, name: null, profileImage: null, content, nonce: null }));
}

it('shows what a user stores on any server to a reader at another one, and never the text', async () => {
  const { world, one, two, user } = await twoServers();
  const { id, missing, until } = await answered(world, begin(one, user));
  expect([missing, until]).toEqual([[], world.clock.now() - 100 + 600_000]);
  const { lines } = await reading(world, two, id);
  const { seq, id: messageId } = await say(world, one, 'a secret text');
  await one.app.readHistory(world.ada, { place: world.room, range: { kind: 'page', page: 0, size: 10 } });
  await passTime(world.clock, 1_500);
  expect(lines[0]).toMatchObject({ type: 'begin', id, subject: user, servers: ['one', 'two'], missing: [] });
  const { userId } = user;
  expect(steps(lines)).toMatchObject([
    { server: 'one', step: 'stored', kind: 'message', userId, place: world.room, seq, messageId, author: userId },
    { server: 'one', step: 'asked', kind: 'history', userId, place: world.room },
  ]);
  expect(JSON.stringify(lines)).not.toContain('a secret text');
});

it('shows a place, and nothing of other places', async () => {
  const { world, one, two } = await twoServers();
  const { id } = await answered(world, begin(one, { kind: 'place', place: world.otherRoom }));
  const other = await answered(world, begin(one, { kind: 'place', place: world.room }));
  const there = await reading(world, two, id);
  const here = await reading(world, one, other.id);
  await say(world, two, 'x');
  await passTime(world.clock, 1_500);
  expect(steps(there.lines)).toEqual([]);
  expect(steps(here.lines)).toMatchObject([{ server: 'two', step: 'stored', place: world.room }]);
});

it('hears of a server that joins during the trace, and of one that dies', async () => {
  const { world, one, user } = await twoServers();
  const { id } = await answered(world, begin(one, user));
  const { lines } = await reading(world, one, id);
  const three = await world.server({ id: 'three' });
  await passTime(world.clock, 4_000);
  await say(world, three, 'x');
  await passTime(world.clock, 2_000);
  expect(lines).toContainEqual({ type: 'server', server: 'three', state: 'watching' });
  expect(steps(lines)).toMatchObject([{ server: 'three', step: 'stored' }]);
  await three.ports.bus.close();
  await passTime(world.clock, 6_000);
  expect(lines).toContainEqual({ type: 'server', server: 'three', state: 'silent' });
  expect(lines.some(({ type }) => type === 'end')).toBe(false);
});

it('ends everywhere at its time, with a last line', async () => {
  const { world, one, two, user } = await twoServers();
  const begun = await answered(world, one.app.service.beginTrace('ops', { subject: user, minutes: 1, nonce: null }));
  const { lines, done } = await reading(world, two, begun.id);
  expect([one.subscribers.watcher, two.subscribers.watcher]).not.toContain(null);
  await passTime(world.clock, 61_000);
  await done;
  expect(lines.at(-1)).toEqual({ type: 'end', reason: 'time' });
  expect(lines).toContainEqual({ type: 'alive' });
  expect([one.subscribers.watcher, two.subscribers.watcher]).toEqual([null, null]);
  expect(await one.app.service.readTrace(begun.id)).toBeNull();
});

it('ends everywhere when the reader goes away', async () => {
  const { world, one, two, user } = await twoServers();
  const { id } = await answered(world, begin(one, user));
  const { stream, done } = await reading(world, two, id);
  stream.close();
  await passTime(world.clock, 100);
  await done;
  expect([one.subscribers.watcher, two.subscribers.watcher]).toEqual([null, null]);
});

it("ends on the other servers when the reader's server dies", async () => {
  const { world, one, two, user } = await twoServers();
  const { id } = await answered(world, begin(one, user));
  await reading(world, two, id);
  await two.ports.bus.close();
  await passTime(world.clock, 12_000);
  expect(one.subscribers.watcher).toBeNull();
});

it('ends a trace that nobody reads after a minute', async () => {
  const { world, one, two, user } = await twoServers();
  await answered(world, begin(one, user));
  await passTime(world.clock, UNREAD_MS - 1_000);
  expect(one.subscribers.watcher).not.toBeNull();
  await passTime(world.clock, 2_000);
  expect([one.subscribers.watcher, two.subscribers.watcher]).toEqual([null, null]);
});

it('tells the reader that the server stops', async () => {
  const { world, one, user } = await twoServers();
  const { id } = await answered(world, begin(one, user));
  const { lines, done } = await reading(world, one, id);
  const stopped = one.app.stop(100);
  await passTime(world.clock, 200);
  await Promise.all([stopped, done]);
  expect(lines.at(-1)).toEqual({ type: 'end', reason: 'server' });
});

it('refuses a second reader, on any server', async () => {
  const { world, one, two, user } = await twoServers();
  const { id } = await answered(world, begin(one, user));
  await reading(world, two, id);
  expect(await answered(world, one.app.service.readTrace(id))).toBe('taken');
  expect(await answered(world, two.app.service.readTrace(id))).toBe('taken');
  expect(await one.app.service.readTrace('nothing')).toBeNull();
});

it('refuses the sixth trace, on any server, and says when to try again', async () => {
  const { world, one, two, user } = await twoServers();
  for (let n = 0; n < 5; n += 1) await answered(world, begin(one, user));
  await expect(begin(two, user)).rejects.toMatchObject({
    code: 'too-fast',
    message: '5 traces are under way; the limit over all servers is 5',
    retryAfterMs: 599_550,
  });
});

it('begins one trace for a nonce, and refuses the nonce for another subject', async () => {
  const { world, one, two, user } = await twoServers();
  const again = (server: TestServer, subject = user) =>
    server.app.service.beginTrace('ops', { subject, minutes: 10, nonce: 'n-1' });
  const first = await answered(world, again(one));
  expect((await again(two)).id).toBe(first.id);
  await expect(again(two, { ...user, userId: user.userId + 1 })).rejects.toMatchObject({
    code: 'bad-input',
    message: 'the nonce was used for a trace of another user or place',
  });
});

it.each([0, 11, 1.5])('refuses a trace of %d minutes', async (minutes) => {
  const { two, user } = await twoServers();
  await expect(two.app.service.beginTrace('ops', { subject: user, minutes, nonce: null })).rejects.toMatchObject({
    code: 'bad-input',
    message: 'minutes must be a whole number from 1 to 10',
  });
});

it('counts the steps for which a server had no room', async () => {
  const { world, one, user } = await twoServers();
  const { id } = await answered(world, begin(one, user));
  const seen = { step: 'sent', kind: 'typing', userId: user.userId } as const;
  for (let n = 0; n < MAX_WAITING_STEPS + 7; n += 1) one.subscribers.watcher?.saw(seen);
  const { lines } = await reading(world, one, id);
  expect(steps(lines)).toHaveLength(MAX_WAITING_STEPS);
  expect(lines.at(-1)).toEqual({ type: 'dropped', server: 'one', count: 7 });
});

it('keeps a bounded number of lines for a slow reader, and counts what the servers drop', async () => {
  const { world, one, user } = await twoServers();
  const { id } = await answered(world, begin(one, user));
  const stream = await answered(world, one.app.service.readTrace(id));
  if (stream === null || stream === 'taken') throw new Error('cannot read');
  const seen = { step: 'sent', kind: 'typing', userId: user.userId } as const;
  for (let second = 0; second < 20; second += 1) {
    for (let n = 0; n < MAX_WAITING_STEPS; n += 1) one.subscribers.watcher?.saw(seen);
    await passTime(world.clock, 1_000);
  }
  const lines: TraceLine[] = [];
  void collect(stream, lines);
  await turnEventLoop();
  expect(steps(lines).length).toBeLessThanOrEqual(2 * MAX_WAITING_STEPS);
  await passTime(world.clock, 2_000);
  const dropped = lines.reduce((sum, line) => sum + (line.type === 'dropped' ? line.count : 0), 0);
  expect(steps(lines).length + dropped).toBe(20 * MAX_WAITING_STEPS);
});
