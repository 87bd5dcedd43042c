import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

/** A member of rooms 5, 7, 8 and 9. */
const USER = 1;

let system: EmbeddedSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

async function connect(): Promise<StompClient> {
  const client = await StompClient.connect({ url: system.url, token: system.token(USER) });
  onTestFinished(() => client.cut());
  return client;
}

function say(client: StompClient, room: number, content: string) {
  const body = { channelId: room, userId: USER, name: 'a', profileImage: null, content };
  return client.send('/kafka/send-direct-message', body);
}

/** Stores ten messages in the room, then removes events while the server is stopped. */
async function remove(room: number, from: number, to: number): Promise<StompClient> {
  const writer = await connect();
  for (let n = 1; n <= 10; n += 1) await say(writer, room, `m${n}`);
  await system.server.stop();
  const file = new DatabaseSync(join(system.server.dataDir, 'chat.db'));
  file.prepare('DELETE FROM event WHERE place = ? AND seq BETWEEN ? AND ?').run(`r-${room}`, from, to);
  file.close();
  await system.server.restart();
  return connect();
}

async function holes(): Promise<number> {
  const text = await (await fetch(`${system.url}/metrics`)).text();
  return Number(/^chat_log_holes_total (\d+)/m.exec(text)?.[1]);
}

it.each([
  ['the oldest', 5, 1, 4, { served: 4, reset: 3 }],
  ['some', 7, 4, 6, { served: 6, reset: 4 }],
  ['the newest', 8, 8, 10, { served: 10, reset: 9 }],
  ['all', 9, 1, 10, { served: 10, reset: 9 }],
] as const)(
  'answers a resume that needs %s removed events by a reset, and goes on live',
  { timeout: 30_000 },
  async (_, room, from, to, { served, reset }) => {
    const client = await remove(room, from, to);
    const replayed = await client.subscribe(`/topic/direct/${room}`, { id: 'served', lastSeq: served });
    const behind = Array.from({ length: 10 - served }, (_element, i) => served + 1 + i);
    expect(replayed.bodies.map(({ seq }) => seq)).toEqual(behind);
    for (const [i, lastSeq] of [reset, from - 1].entries()) {
      const lost = await client.subscribe(`/topic/direct/${room}`, { id: `lost-${i}`, lastSeq });
      expect(lost.bodies).toEqual([{ type: 'reset', seq: 10 }]);
    }
    expect((await say(client, room, 'live')).headers.seq).toBe('11');
    await expect.poll(() => replayed.bodies.map(({ seq }) => seq)).toEqual([...behind, 11]);
    expect(await holes()).toBe(1);
    const lines = (await system.server.log()).split('\n').filter((line) => line.includes('events are missing'));
    expect(lines.filter((line) => line.includes(`"r-${room}"`))).toHaveLength(1);
    const page = await fetch(`${system.url}/chat-server/direct?ch_id=${room}&after=4&size=3`, {
      headers: { AUTHORIZATION: system.token(USER) },
    });
    expect(await page.json()).toMatchObject({ result: [{ message: 'm5' }, { message: 'm6' }, { message: 'm7' }] });
  },
);
