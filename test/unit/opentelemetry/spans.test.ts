import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { readTraceparent } from '../../../src/adapters/opentelemetry/traceparent.ts';
import { startCollector } from '../../support/otlp-receiver.ts';
import { PARENT, spansOf, twoServers } from './fixture.ts';

const UNSAMPLED = PARENT.replace(/01$/, '00');

it('follows a message from SEND over store and bus to the socket of another server, in one trace', async () => {
  const collector = await startCollector();
  const { world, one, two, say, heard } = await twoServers(collector.url);
  const sender = await one.connect(world.ada.token);
  const reader = await two.connect(world.grace.token);
  say(sender, { traceparent: PARENT });
  await heard(reader, 1);
  await Promise.all([one.spans.close(), two.spans.close()]);
  const { spans } = collector;
  const idOf = (name: string, server: string) =>
    spans.find((span) => span.name === name && span.server === server)?.spanId;
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const send = idOf('send', 'one');
  const publish = idOf('publish', 'one');
  expect(spans.map(({ name, server, parentSpanId }) => [name, server, parentSpanId]).sort()).toEqual([
    ['append', 'one', send],
    ['deliver', 'one', send],
    ['deliver', 'two', publish],
    ['publish', 'one', send],
    ['send', 'one', 'b7ad6b7169203331'],
  ]);
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  expect(JSON.stringify(spans)).not.toContain('a secret text');
});

it('traces nothing of a message whose client or sampler says no', async () => {
  const collector = await startCollector();
  const { world, one, two, say, heard } = await twoServers(collector.url, {
    sampler: 'parentbased_traceidratio',
    ratio: 0,
  });
  const sender = await one.connect(world.ada.token);
  const reader = await two.connect(world.grace.token);
  say(sender, { traceparent: UNSAMPLED });
  say(sender);
  await heard(reader, 2);
  await Promise.all([one.spans.close(), two.spans.close()]);
  expect(collector.spans).toEqual([]);
});

it('traces none of the messages that waited behind a traced message of the same client', async () => {
  const collector = await startCollector();
  const { world, one, two, say, heard } = await twoServers(collector.url);
  const sender = await one.connect(world.ada.token);
  const reader = await two.connect(world.grace.token);
  say(sender, { traceparent: PARENT });
  for (let n = 1; n <= 1_100; n += 1) say(sender, { traceparent: UNSAMPLED });
  await heard(reader, 1_101);
  await Promise.all([one.spans.close(), two.spans.close()]);
  expect(collector.spans.filter(({ name }) => name === 'append')).toHaveLength(1);
});

it('records about one of a hundred traces at 1 %, and asks for the attributes of these only', async () => {
  const collector = await startCollector();
  const spans = spansOf(collector.url, { sampler: 'parentbased_traceidratio', ratio: 0.01 });
  let [recorded, asked] = [0, 0];
  const attributes = () => {
    asked += 1;
    return { userId: 1 };
  };
  for (let n = 0; n < 20_000; n += 1) {
    const span = spans.begin('send', null, attributes);
    if (span === null) continue;
    recorded += 1;
    span.end();
  }
  await spans.close();
  expect(recorded).toBeGreaterThan(100);
  expect(recorded).toBeLessThan(350);
  expect(asked).toBe(recorded);
  expect(collector.spans).toHaveLength(recorded);
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(recorded);
});

it('lets a sampler without parents decide by the id of the trace, for all its spans alike', async () => {
  const collector = await startCollector();
  const one = spansOf(collector.url, { sampler: 'traceidratio', ratio: 0.1 });
  const two = spansOf(collector.url, { sampler: 'traceidratio', ratio: 0.1, server: 'two' });
  let traces = 0;
  for (let n = 0; n < 1_000; n += 1) {
    const send = one.begin('send', null);
    const deliver = send === null ? null : two.begin('deliver', send.traceparent);
    expect(deliver === null).toBe(send === null);
    if (send !== null) traces += 1;
    deliver?.end();
    send?.end();
  }
  await Promise.all([one.close(), two.close()]);
  expect(traces).toBeGreaterThan(0);
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(traces);
});

it('gives the ids of the trace to log lines and to calls within a span only', async () => {
  const collector = await startCollector();
  const spans = spansOf(collector.url, { headers: { authorization: 'Bearer collector' } });
  expect([spans.current(), spans.logFields()]).toEqual([null, {}]);
  const span = spans.begin('send', PARENT);
  await span?.run(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    expect(spans.current()).toBe(span.traceparent);
    expect(spans.logFields()).toMatchObject({ trace_id: '0af7651916cd43dd8448eb211c80319c' });
    expect(spans.outside(() => [spans.current(), spans.logFields()])).toEqual([null, {}]);
  });
  span?.end();
  await spans.close();
  expect(collector.headers).toEqual(['Bearer collector']);
});

it('logs once that the collector does not take traces', async () => {
  const telemetry = new RecordedTelemetry();
  const spans = spansOf('http://127.0.0.1:9/v1/traces', { telemetry, timeoutMs: 300 });
  for (let n = 0; n < 1_200; n += 1) spans.begin('send', null)?.end();
  await spans.close();
  expect(telemetry.logs.filter(({ level }) => level === 'warn')).toMatchObject([
    { what: 'traces are lost, because the collector does not take them' },
  ]);
});

it.each([
  ['', null],
  ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', null],
  ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', null],
  ['00-00000000000000000000000000000000-b7ad6b7169203331-01', null],
  ['00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', null],
  [PARENT, '0af7651916cd43dd8448eb211c80319c'],
  ['01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', '0af7651916cd43dd8448eb211c80319c'],
])('reads the traceparent %j as the trace %j', (text, traceId) => {
  expect(readTraceparent(text)?.traceId ?? null).toBe(traceId);
});
