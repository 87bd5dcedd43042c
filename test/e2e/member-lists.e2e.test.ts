import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { codeOf } from '../support/answer-code.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

const SERVICE_TOKEN = 'token-of-the-services-in-this-test';
/** Four minutes by default; short, so that the test can wait for it. */
const LIST_STALENESS_SECONDS = 3;
const FILE_IS_READ_MS = 1_000;

const WORLD = {
  users: { 1: { name: 'Ada', image: null }, 2: { name: 'Grace', image: null }, 3: { name: 'Linus', image: null } },
  rooms: { 5: [1, 2] },
  communities: { 1: { members: [1, 2], channels: { 11: null, 12: [1] } } },
};

let system: EmbeddedSystem;

beforeAll(async () => {
  system = await startSystem(
    {
      LIMIT_LIST_STALENESS_SECONDS: String(LIST_STALENESS_SECONDS),
      LIMIT_CHANNEL_STALENESS_SECONDS: '2',
      SERVICE_TOKEN,
      SERVICE_NETWORKS: '127.0.0.1',
    },
    WORLD,
  );
});
afterAll(() => system.stop());

/** A client with a subscription to the errors queue, so that refusals do not close it. */
async function client(userId: number): Promise<StompClient> {
  const made = await StompClient.connect({ url: system.url, token: system.token(userId) });
  onTestFinished(() => made.cut());
  await made.subscribe('/user/queue/errors', { id: 'errors' });
  return made;
}

const destinations = ['/topic/direct/5', '/topic/community/1', '/topic/group/11', '/topic/group/12'];

it('follows its directory file: an added member is let in at the first try, and a removed one hears nothing more', async () => {
  const [one, three] = [await client(1), await client(3)];
  for (const at of destinations) {
    await one.subscribe(at);
    await expect(three.subscribe(at)).rejects.toThrow('"code":2103');
  }
  const members = [1, 2, 3];
  await system.replaceWorld({
    ...WORLD,
    rooms: { 5: members },
    communities: { 1: { members, channels: { 11: null, 12: [1, 3] } } },
  });
  // The interval of one user's look-ups, and the server's interval of looking at the file.
  await delay(2_000);
  const heard = [];
  for (const at of destinations) heard.push(await three.subscribe(at));

  await system.replaceWorld(WORLD);
  const within = LIST_STALENESS_SECONDS * 1_000 + FILE_IS_READ_MS;
  await Promise.all(heard.map((each) => each.next(({ type }) => type === 'removed', within)));
  await one.send('/kafka/send-direct-message', { channelId: 5, userId: 1, name: 'Ada', content: 'secret' });
  for (const at of destinations) await expect(three.subscribe(at)).rejects.toThrow('"code":2103');
  for (const { bodies } of heard) expect(bodies.at(-1)).toEqual({ type: 'removed' });
});

it('opens the service calls to the token and to the networks where both are set, never to a user', async () => {
  const put = (headers: Record<string, string>) =>
    codeOf(fetch(`${system.url}/chat-server/room-user-list/5`, { method: 'PUT', headers, body: '[1,2]' }));
  expect(await put({})).toBe(1000);
  expect(await put({ AUTHORIZATION: `Bearer ${SERVICE_TOKEN}` })).toBe(1000);
  expect(await put({ AUTHORIZATION: system.token(1) })).toBe(2103);
  expect(await put({ AUTHORIZATION: `Bearer ${system.token(1)}` })).toBe(2103);
  expect(await put({ 'x-forwarded-for': '127.0.0.1' })).toBe(2103);
});
