import { afterAll, beforeAll, expect, it, onTestFinished, type TestContext } from 'vitest';
import { checkDiskFaults, type DiskFault, harmDisk } from '../../dev/services/disk-faults.ts';
import { skipOrFail } from '../../dev/services/shared.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

const USER = 1;
const ROOM = 5;
/** A send makes at least one write and one flush. */
const SLOW_MS = 300;
/** Longer than the server waits for the database. */
const STALL_MS = 30_000;
/** A call is refused after 10 s, and the server looks for such calls each second. */
const MAX_WAIT_MS = 13_000;

let system: EmbeddedSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

/** Harms the disk of the server. The function that it resolves with repairs it. */
async function harm(context: TestContext, fault: DiskFault): Promise<() => Promise<void>> {
  await checkDiskFaults().catch((error: unknown) => skipOrFail(context, error));
  const undo = await harmDisk(system.server.pid ?? 0, fault);
  onTestFinished(undo);
  return undo;
}

async function connect(): Promise<StompClient> {
  const client = await StompClient.connect({ url: system.url, token: system.token(USER) });
  onTestFinished(() => client.cut());
  await client.subscribe('/user/queue/errors', { id: 'errors' });
  return client;
}

/**
 * Resolves with the number of the message, or the code of the refusal, and with the time it took.
 */
async function say(client: StompClient, nonce: string): Promise<{ seq?: number; code?: number; ms: number }> {
  const began = performance.now();
  const body = { channelId: ROOM, userId: USER, name: 'a', profileImage: null, content: nonce, nonce };
  const answer = await client.send('/kafka/send-direct-message', body).then(
    ({ headers }) => ({ seq: Number(headers.seq) }),
    (error: unknown) => ({ code: Number(/"code":(\d+)/.exec(String(error))?.[1]) }),
  );
  return { ...answer, ms: performance.now() - began };
}

async function history(): Promise<string[]> {
  const url = `${system.url}/chat-server/direct?ch_id=${ROOM}&after=0&size=100`;
  const answer = await fetch(url, { headers: { AUTHORIZATION: system.token(USER) } });
  const { result } = (await answer.json()) as { result: { nonce: string }[] };
  return result.map(({ nonce }) => nonce);
}

it('receipts a send later while the disk of the SQLite file is slow', async (context) => {
  const client = await connect();
  const before = (await history()).length;
  const undo = await harm(context, { delayMs: SLOW_MS });
  const { seq, ms } = await say(client, 'slow');
  expect(seq).toBe(before + 1);
  expect(ms).toBeGreaterThan(2 * SLOW_MS);
  await undo();
  expect((await say(client, 'well')).seq).toBe(before + 2);
});

it('refuses a send with 2503 after 10 s while the disk of the SQLite file hangs, and stores it once', async (context) => {
  const client = await connect();
  const room = await client.subscribe(`/topic/direct/${ROOM}`);
  const before = await history();
  const undo = await harm(context, { delayMs: STALL_MS });
  const refused = await say(client, 'hung');
  expect(refused.code).toBe(2503);
  expect(refused.ms).toBeLessThan(MAX_WAIT_MS);
  expect((await fetch(`${system.url}/chat-server/health/ready`)).status).toBe(200);
  await undo();
  expect((await say(client, 'hung')).seq).toBe(before.length + 1);
  expect((await say(client, 'later')).seq).toBe(before.length + 2);
  await expect.poll(() => room.bodies.map(({ nonce }) => nonce)).toEqual(['hung', 'later']);
  await system.server.restart();
  expect(await history()).toEqual([...before, 'hung', 'later']);
});
