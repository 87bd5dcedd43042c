import { expect, it, onTestFinished, vi } from 'vitest';
import { type Client, type Outboxes, pageModule, type Refusals } from './modules.ts';

const { Outbox } = await pageModule<Outboxes>('outbox.js');
const { Refused } = await pageModule<Refusals>('refused.js');

/** An outbox whose server answers each command with `answer`. */
function withServer(answer: (nonce: string) => Promise<unknown>) {
  const asked: string[] = [];
  const refusals: string[] = [];
  const client: Client = {
    isOnline: true,
    request: (_destination, body) => {
      const { nonce } = body as { nonce: string };
      asked.push(nonce);
      return answer(nonce);
    },
  };
  const outbox = new Outbox(
    'key',
    client,
    () => {},
    (message) => refusals.push(message),
  );
  const say = (nonce: string, kind = 'message', place = 'r-5') =>
    outbox.add({ nonce, kind, place, destination: '/kafka/x', body: { nonce } });
  return { outbox, client, asked, refusals, say };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('sends messages one by one and keeps each until the server shows it', async () => {
  const answers: (() => void)[] = [];
  const { outbox, asked, say } = withServer(() => new Promise<void>((resolve) => answers.push(resolve)));
  say('a');
  say('b');
  await turn();
  expect(asked).toEqual(['a']);
  answers[0]?.();
  await turn();
  expect(asked).toEqual(['a', 'b']);
  expect(outbox.unseen('r-5').map(({ nonce, state }) => [nonce, state])).toEqual([
    ['a', 'sent'],
    ['b', 'waiting'],
  ]);
  outbox.seen('a');
  expect(outbox.unseen('r-5').map(({ nonce }) => nonce)).toEqual(['b']);
  expect(outbox.unseen('r-6')).toEqual([]);
});

it('sends a message without an answer again, with the same nonce, when the connection is back', async () => {
  const { outbox, client, asked, say } = withServer(async () => {
    if (!client.isOnline || asked.length > 1) return;
    client.isOnline = false;
    throw new Error('the connection was lost');
  });
  say('a');
  say('b');
  await turn();
  expect(asked).toEqual(['a']);
  client.isOnline = true;
  await outbox.flush();
  expect(asked).toEqual(['a', 'a', 'b']);
});

it('keeps a refused message for the user and sends the next one', async () => {
  let isRefused = true;
  const { outbox, asked, refusals, say } = withServer(async (nonce) => {
    if (nonce !== 'b' && isRefused) throw new Refused(2103, 'not permitted');
  });
  say('a');
  say('b');
  say('c', 'modify');
  await turn();
  expect(asked).toEqual(['a', 'b', 'c']);
  expect(outbox.unseen('r-5').map(({ state, reason }) => [state, reason])).toEqual([
    ['failed', 'not permitted'],
    ['sent', ''],
  ]);
  expect(refusals).toEqual(['Not edited: not permitted']);
  isRefused = false;
  outbox.retry('a');
  await turn();
  expect(outbox.unseen('r-5')[0]?.state).toBe('sent');
});

/** Lets the pauses of the outbox pass without waiting. */
function virtualTime() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  return (ms: number) => vi.advanceTimersByTimeAsync(ms);
}

it('keeps the order of a place over a refusal for too many messages, and waits as long as the server asks', async () => {
  const pass = virtualTime();
  const stored: string[] = [];
  const { asked, say } = withServer(async (nonce) => {
    if (asked.length === 2 || asked.length === 3) throw new Refused(2429, 'too fast', 700);
    stored.push(nonce);
  });
  for (const nonce of ['a', 'b', 'c']) say(nonce);
  await pass(699);
  expect(asked).toEqual(['a', 'b']);
  await pass(1);
  expect(asked).toEqual(['a', 'b', 'b']);
  await pass(700);
  expect(asked).toEqual(['a', 'b', 'b', 'b', 'c']);
  expect(stored).toEqual(['a', 'b', 'c']);
});

it('repeats a message with growing pauses while a service is down, and sends nothing of the place before it', async () => {
  const pass = virtualTime();
  let isDown = true;
  const { asked, say } = withServer(async () => {
    if (isDown) throw new Refused(2503, 'the database does not answer');
  });
  say('a');
  say('b');
  await pass(60_000);
  expect(new Set(asked)).toEqual(new Set(['a']));
  expect(asked.length).toBeGreaterThan(4);
  expect(asked.length).toBeLessThan(13);
  isDown = false;
  await pass(15_000);
  expect(asked.slice(-2)).toEqual(['a', 'b']);
});

it('sends a message again that the server did not confirm in time, after a pause', async () => {
  const pass = virtualTime();
  const { asked, say } = withServer(async () => {
    if (asked.length < 3) throw new Error('no confirmation in time');
  });
  say('a');
  await pass(499);
  expect(asked).toEqual(['a']);
  await pass(3_000);
  expect(asked).toEqual(['a', 'a', 'a']);
});

it('does not hold up a place because another one waits', async () => {
  const pass = virtualTime();
  const { asked, say } = withServer(async (nonce) => {
    if (nonce === 'a') throw new Refused(2503, 'try again');
  });
  say('a');
  say('b', 'message', 'c-11');
  await pass(100);
  expect(asked).toEqual(['a', 'b']);
});

it.each([2100, 2103, 2112, 2413, 4111])('gives up a message that is refused with %i', async (code) => {
  const pass = virtualTime();
  const { outbox, client, asked, say } = withServer(async (nonce) => {
    if (nonce !== 'a') return;
    client.isOnline = code !== 2413;
    throw new Refused(code, 'never');
  });
  say('a');
  say('b');
  await pass(60_000);
  client.isOnline = true;
  await outbox.flush();
  expect(asked).toEqual(['a', 'b']);
  expect(outbox.unseen('r-5').map(({ state }) => state)).toEqual(['failed', 'sent']);
});
