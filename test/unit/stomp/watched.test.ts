import { expect, it } from 'vitest';
import type { StepScope, Watcher } from '../../../src/application/ports/watcher.ts';
import type { SeenStep } from '../../../src/domain/trace.ts';
import { Fixture, frame, say } from './fixture.ts';

function watching(fixture: Fixture, subject: { readonly user?: number; readonly place?: 'r-5' }) {
  const seen: SeenStep[] = [];
  const watcher: Watcher = {
    users: new Set(subject.user === undefined ? [] : [subject.user]),
    places: new Set(subject.place === undefined ? [] : [subject.place]),
    saw(step: SeenStep, scope: StepScope = 'both') {
      const isWanted =
        (scope !== 'place' && watcher.users.has(step.userId ?? 0)) ||
        (scope !== 'user' && watcher.places.has((step.place ?? 'r-0') as 'r-5'));
      if (isWanted) seen.push(step);
    },
  };
  fixture.subscribers.port.watch(watcher);
  return seen;
}

it('shows the frames, deliveries and the end of one user to a trace, and nothing of others', async () => {
  const fixture = new Fixture();
  const seen = watching(fixture, { user: 1 });
  const other = fixture.client(2);
  const client = fixture.client(1);
  for (const one of [other, client]) {
    one.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5' }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.say(say('a secret text', 'r'));
  await new Promise((resolve) => setImmediate(resolve));
  client.say(frame('SEND', { destination: '/kafka/send-direct-message' }, 'not JSON'));
  await new Promise((resolve) => setImmediate(resolve));
  client.say(frame('DISCONNECT', {}));
  const session = expect.stringMatching(/^.{8}$/);
  const who = { userId: 1, session };
  expect(seen).toMatchObject([
    { step: 'connected', ...who },
    { step: 'sent', kind: 'subscribe', place: 'r-5', ...who },
    { step: 'sent', kind: 'message', place: 'r-5', ...who },
    { step: 'delivered', kind: 'message', place: 'r-5', seq: 1, ...who },
    { step: 'sent', kind: 'message', place: null, ...who },
    { step: 'refused', code: 2100, reason: 'bad-input', ...who },
    { step: 'sent', kind: 'disconnect', ...who },
    { step: 'disconnected', code: 1000, reason: 'client', ...who },
  ]);
  expect(JSON.stringify(seen)).not.toContain('a secret text');
});

it('shows each event of a place once with the number of its subscriptions', async () => {
  const fixture = new Fixture();
  const seen = watching(fixture, { place: 'r-5' });
  const clients = [fixture.client(1), fixture.client(2), fixture.client(3)];
  for (const client of clients) client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5' }));
  await new Promise((resolve) => setImmediate(resolve));
  clients[0]?.say(say('hello'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen.filter(({ step }) => step === 'delivered')).toMatchObject([
    { kind: 'message', place: 'r-5', seq: 1, author: 1, count: 3 },
  ]);
});

it('reports the place of a refused command, and each refusal once', async () => {
  const fixture = new Fixture();
  const seen = watching(fixture, { place: 'r-5' });
  const client = fixture.client(1);
  client.say(
    frame(
      'SEND',
      { destination: '/kafka/send-direct-message', receipt: 'r' },
      { channelId: 5, userId: 2, content: 'x' },
    ),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen.filter(({ step }) => step === 'refused')).toMatchObject([
    { place: 'r-5', userId: 1, code: 2103, reason: 'not-permitted' },
  ]);
});

it('says that a slow client did not get an event of low value', async () => {
  const fixture = new Fixture();
  const seen = watching(fixture, { user: 1 });
  const client = fixture.client(1);
  client.say(frame('SUBSCRIBE', { id: 'a', destination: '/topic/direct/5' }));
  await new Promise((resolve) => setImmediate(resolve));
  client.bufferedBytes = 1_000_000;
  fixture.subscribers.port.deliver('r-5', { kind: 'typing', place: 'r-5', name: 'x' });
  expect(seen.at(-1)).toMatchObject({ step: 'skipped', kind: 'typing', userId: 1 });
});
