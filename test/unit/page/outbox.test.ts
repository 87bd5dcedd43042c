import { expect, it } from 'vitest';
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
  const say = (nonce: string, kind = 'message') =>
    outbox.add({ nonce, kind, place: 'r-5', destination: '/kafka/x', body: { nonce } });
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
