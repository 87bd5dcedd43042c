import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { METRICS, type MetricDefinition } from '../../src/adapters/system/metric-catalogue.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

let system: EmbeddedSystem;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

/** The values of `/metrics` by name and labels: `chat_frames_sent_total{kind="receipt"}`. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${system.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]));
}

async function connect(userId: number): Promise<StompClient> {
  const client = await StompClient.connect({ url: system.url, token: system.token(userId) });
  onTestFinished(() => client.cut());
  return client;
}

/** Metrics that have no value on an embedded server, because the part is missing. */
const ELSEWHERE = [
  ...['chat_kafka_lag_records', 'chat_kafka_heartbeat_age_seconds', 'chat_kafka_consumer_restarts_total'],
];

it('measures a message from its SEND to its receipt and to the last socket', async () => {
  const before = await scrape();
  const [ada, bob] = [await connect(1), await connect(2)];
  await bob.subscribe('/topic/direct/5');
  const heard = bob.next(({ command }) => command === 'MESSAGE');
  await ada.send('/kafka/send-direct-message', { channelId: 5, content: 'hello' });
  await heard;
  const after = await scrape();
  const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  expect(grown('chat_receipt_seconds_count')).toBe(1);
  expect(grown('chat_delivery_seconds_count{path="local"}')).toBe(1);
  expect(grown('chat_delivery_seconds_sum{path="local"}')).toBeGreaterThan(0);
  expect(grown('chat_delivery_seconds_sum{path="local"}')).toBeLessThan(5);
  expect(grown('chat_frames_received_total{kind="message"}')).toBe(1);
  expect(grown('chat_frames_sent_total{kind="message"}')).toBe(1);
  expect(grown('chat_call_seconds_count{part="sqlite",operation="append",outcome="ok"}')).toBe(1);
  expect(after.get('chat_connections{transport="raw-websocket"}')).toBe(2);
  expect(after.get('chat_users')).toBe(2);
  expect([...after.keys()].find((name) => name.startsWith('chat_build_info'))).toMatch(/version="\d+\.\d+\.\d+"/);
});

it('measures a resume by the number of its events', async () => {
  const ada = await connect(1);
  for (let i = 0; i < 3; i += 1) await ada.send('/kafka/send-direct-message', { channelId: 7, content: `text ${i}` });
  const before = await scrape();
  await ada.subscribe('/topic/direct/7', { lastSeq: 1 });
  const after = await scrape();
  const name = (part: string) => `chat_resume_events_${part}{result="replayed"}`;
  expect((after.get(name('sum')) ?? 0) - (before.get(name('sum')) ?? 0)).toBe(2);
  expect((after.get(name('count')) ?? 0) - (before.get(name('count')) ?? 0)).toBe(1);
});

it('a server gives a value to each metric, once it has had a client', async () => {
  const client = await connect(1);
  await client.subscribe('/topic/direct/6', { lastSeq: 0 });
  await fetch(`${system.url}/chat-server/unread`);
  const names = [...(await scrape()).keys()];
  const missing = Object.entries(METRICS as Readonly<Record<string, MetricDefinition>>)
    .filter(([name, { type }]) => {
      const series = type === 'histogram' ? `${name}_count` : name;
      return !names.some((known) => known === series || known.startsWith(`${series}{`));
    })
    .map(([name]) => name);
  expect(missing).toEqual(ELSEWHERE);
});
