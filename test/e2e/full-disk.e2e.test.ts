import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

const USER = 1;
const ROOM = 5;
const MAX_SENDS = 500;

const disk = await smallDisk(12);

let system: EmbeddedSystem;
beforeAll(async () => {
  if (disk !== null) system = await startSystem({ DATA_DIR: disk.folder });
});
afterAll(async () => {
  await system?.stop();
  await disk?.remove();
});

function use(): SmallDisk {
  if (disk === null) throw new Error('no disk');
  return disk;
}

async function connect(): Promise<StompClient> {
  const client = await StompClient.connect({ url: system.url, token: system.token(USER) });
  onTestFinished(() => client.cut());
  await client.subscribe('/user/queue/errors', { id: 'errors' });
  return client;
}

/** Resolves with the message's number, or with the code of the refusal. */
async function say(client: StompClient, nonce: string, content: string): Promise<{ seq?: number; code?: number }> {
  const body = { channelId: ROOM, userId: USER, name: 'a', profileImage: null, content, nonce };
  try {
    return { seq: Number((await client.send('/kafka/send-direct-message', body)).headers.seq) };
  } catch (error) {
    return { code: Number(/"code":(\d+)/.exec(String(error))?.[1]) };
  }
}

async function history(): Promise<string[]> {
  const nonces: string[] = [];
  for (let after = 0; ; ) {
    const url = `${system.url}/chat-server/direct?ch_id=${ROOM}&after=${after}&size=200`;
    const answer = await fetch(url, { headers: { AUTHORIZATION: system.token(USER) } });
    const { result } = (await answer.json()) as { result: { seq: number; nonce: string }[] };
    nonces.push(...result.map(({ nonce }) => nonce));
    const last = result.at(-1);
    if (last === undefined) return nonces;
    after = last.seq;
  }
}

it.skipIf(disk === null)(
  'refuses sends while the disk of the SQLite file is full, reads on, and loses nothing',
  { timeout: 60_000 },
  async () => {
    const client = await connect();
    const room = await client.subscribe(`/topic/direct/${ROOM}`);
    const acknowledged: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      expect(await say(client, `before-${n}`, 'x')).toMatchObject({ seq: n + 1 });
      acknowledged.push(`before-${n}`);
    }
    await use().fill();
    const refused: string[] = [];
    for (let n = 0; refused.length < 20 && n < MAX_SENDS; n += 1) {
      const { seq, code } = await say(client, `full-${n}`, 'x'.repeat(8_000));
      if (seq === undefined) {
        expect(code).toBe(2300);
        refused.push(`full-${n}`);
      } else acknowledged.push(`full-${n}`);
    }
    expect(refused).toHaveLength(20);
    expect(await history()).toEqual(acknowledged);
    const replay = await (await connect()).subscribe(`/topic/direct/${ROOM}`, { lastSeq: acknowledged.length - 3 });
    expect(replay.bodies.map(({ nonce }) => nonce)).toEqual(acknowledged.slice(-3));
    expect((await fetch(`${system.url}/chat-server/health/ready`)).status).toBe(200);
    const metrics = await (await fetch(`${system.url}/metrics`)).text();
    expect(metrics).toMatch(/^chat_appends_refused_total (20|[2-9]\d)$/m);

    await use().free();
    for (const nonce of refused) {
      expect(await say(client, nonce, 'x'.repeat(8_000))).toMatchObject({ seq: acknowledged.length + 1 });
      acknowledged.push(nonce);
    }
    await expect.poll(() => room.bodies.map(({ nonce }) => nonce)).toEqual(acknowledged);
    const lines = (await system.server.log()).split('\n').filter((line) => /"msg":"(an append|appends)/.test(line));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 50, msg: 'an append failed', place: 'r-5', failures: 1 },
      { level: 30, msg: 'appends work again', failures: 20 },
    ]);
    expect(lines[0]).toContain('database or disk is full');
    await system.server.restart();
    expect(await history()).toEqual(acknowledged);
  },
);
