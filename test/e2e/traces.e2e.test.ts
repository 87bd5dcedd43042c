import { readFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { startCollector } from '../support/otlp-receiver.ts';
import { startSystem } from './system.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

it('sends the trace of a SEND to the collector, and writes its id in log lines', async () => {
  const collector = await startCollector();
  const system = await startSystem({
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector',
    LOG_LEVEL: 'debug',
  });
  onTestFinished(() => system.stop());
  const client = await StompClient.connect({ url: system.url, token: system.token(1) });
  onTestFinished(() => client.cut());
  await client.subscribe('/user/queue/errors', { id: 'errors' });
  const headers = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` };
  const body = { userId: 1, name: 'x', profileImage: null, content: 'a secret text' };
  await client.send('/kafka/send-direct-message', { ...body, channelId: 5 }, headers);
  await expect(client.send('/kafka/send-direct-message', { ...body, channelId: 99 }, headers)).rejects.toThrow('2103');
  await system.server.stop();
  const names = collector.spans.filter(({ traceId }) => traceId === TRACE_ID).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['send', 'append', 'publish']));
  expect(collector.headers).toContain('Bearer collector');
  const lines = (await readFile(system.server.logFile, 'utf8')).split('\n');
  const refused = lines.filter((line) => line.includes('a frame was refused'));
  expect(refused.join()).toContain(`"trace_id":"${TRACE_ID}"`);
});
