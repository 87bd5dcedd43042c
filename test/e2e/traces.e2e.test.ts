import { readFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { StompClient, type StompSubscription } from '../../dev/stomp-client.ts';
import { startCollector } from '../support/otlp-receiver.ts';
import { startSystem } from './system.ts';

const ADMIN_TOKEN = 'operations-'.repeat(4);
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

it('sends the trace of a SEND through two workers to the collector, and writes its id in log lines', async () => {
  const collector = await startCollector();
  const system = await startSystem({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector',
    LOG_LEVEL: 'debug',
    WORKERS: '2',
    ADMIN_TOKENS: `ops:${ADMIN_TOKEN}`,
  });
  onTestFinished(() => system.stop());
  const client = await StompClient.connect({ url: system.url, token: system.token(1) });
  onTestFinished(() => client.cut());
  await client.subscribe('/user/queue/errors', { id: 'errors' });
  const rooms: StompSubscription[] = [];
  const readInBothWorkers = async () => {
    const reader = await StompClient.connect({ url: system.url, token: system.token(2) });
    onTestFinished(() => reader.cut());
    rooms.push(await reader.subscribe('/topic/direct/5'));
    const answer = await fetch(`${system.url}/chat-server/service/servers`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, connection: 'close' },
    });
    const { servers } = (await answer.json()) as { servers: readonly { readonly subscriptions: number }[] };
    return servers.filter(({ subscriptions }) => subscriptions > 0).length;
  };
  await expect.poll(readInBothWorkers, { timeout: 20_000, interval: 100 }).toBe(2);
  const headers = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` };
  const body = { userId: 1, name: 'x', profileImage: null, content: 'a secret text' };
  await client.send('/kafka/send-direct-message', { ...body, channelId: 5 }, headers);
  await expect(client.send('/kafka/send-direct-message', { ...body, channelId: 99 }, headers)).rejects.toThrow('2103');
  for (const room of rooms) await room.atLeast(1);
  await system.server.stop();
  const spans = collector.spans.filter(({ traceId }) => traceId === TRACE_ID);
  const [append] = spans.filter(({ name }) => name === 'append');
  const send = spans.find(({ spanId }) => spanId === append?.parentSpanId);
  expect(send?.name).toBe('send');
  const deliveries = spans.filter(({ name }) => name === 'deliver');
  expect(deliveries.map(({ server, parentSpanId }) => [server === send?.server, parentSpanId]).sort()).toEqual([
    [false, append?.spanId],
    [true, send?.spanId],
  ]);
  expect(collector.headers).toContain('Bearer collector');
  const lines = (await readFile(system.server.logFile, 'utf8')).split('\n');
  const refused = lines.filter((line) => line.includes('a frame was refused'));
  expect(refused.join()).toContain(`"trace_id":"${TRACE_ID}"`);
});
