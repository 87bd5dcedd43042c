import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { OpenTelemetrySpans } from '../../../src/adapters/opentelemetry/spans.ts';
import { RestNotifier } from '../../../src/adapters/rest/notifier.ts';
import { RestService } from '../../../src/adapters/rest/rest-service.ts';
import { RestRoomDirectory } from '../../../src/adapters/rest/room-directory.ts';
import { embeddedApplication, temporaryFiles } from '../../support/embedded-application.ts';
import { type ReceivedSpan, startCollector } from '../../support/otlp-receiver.ts';
import { passTime } from '../../support/pass-time.ts';
import { AS_OPS, asUser, serve, uploadsTo } from '../http/harness.ts';
import { PARENT, spansOf, TRACE_ID, twoServers } from './fixture.ts';

interface NeighbourCall {
  readonly path: string;
  readonly traceparent: string | undefined;
}

/** A neighbour that gives the same members to all places. It fails the first calls of a path. */
async function startNeighbour(failures: Readonly<Record<string, number>> = {}) {
  const calls: NeighbourCall[] = [];
  let members: readonly number[] = [];
  const left = new Map(Object.entries(failures));
  const server = createServer((request, response) => {
    request.resume();
    const path = request.url ?? '';
    calls.push({ path, traceparent: request.headers.traceparent as string | undefined });
    const failing = left.get(path) ?? 0;
    left.set(path, failing - 1);
    response.writeHead(failing > 0 ? 429 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ result: { members } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const service = (spans: OpenTelemetrySpans): RestService => {
    const rest = new RestService({ name: 'neighbour', url, spans });
    onTestFinished(() => rest.close());
    return rest;
  };
  return { calls, service, setMembers: (ids: readonly number[]) => (members = ids) };
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);

it('sends traceparent with the calls of neighbours that a traced SEND causes, and with no others', async () => {
  const collector = await startCollector();
  const neighbour = await startNeighbour();
  const { world, one, say, heard } = await twoServers(collector.url, {}, (world, spans) => {
    neighbour.setMembers([world.ada.userId, world.grace.userId]);
    return { directory: new RestRoomDirectory(neighbour.service(spans)) };
  });
  const sender = await one.connect(world.ada.token, false);
  say(sender, { traceparent: PARENT });
  while (!sender.received.some((text) => text.startsWith('RECEIPT'))) await passTime(world.clock, 50);
  const reader = await one.connect(world.grace.token);
  say(sender, { traceparent: PARENT.replace(/01$/, '00') });
  await heard(reader, 1);
  await one.spans.close();
  const [send] = named(collector.spans, 'send');
  const [call] = named(collector.spans, 'call');
  expect(call?.parentSpanId).toBe(send?.spanId);
  const path = `/room/feign/${world.roomId}/member-id`;
  expect(neighbour.calls.filter((called) => called.path === path)).toEqual([
    { path, traceparent: `00-${TRACE_ID}-${call?.spanId}-01` },
  ]);
  expect(neighbour.calls.filter(({ traceparent }) => traceparent !== undefined)).toHaveLength(1);
});

it('traces each attempt to notify the members of a message, with the call of the notification service', async () => {
  const collector = await startCollector();
  const neighbour = await startNeighbour({ '/direct': 1 });
  const { world, one, say } = await twoServers(collector.url, {}, (_world, spans) => ({
    notifier: new RestNotifier(neighbour.service(spans)),
  }));
  const sender = await one.connect(world.ada.token);
  say(sender, { traceparent: PARENT });
  const notified = () => neighbour.calls.filter(({ path }) => path === '/direct');
  while (notified().length < 2) await passTime(world.clock, 50);
  await passTime(world.clock, 50);
  await one.spans.close();
  const [send] = named(collector.spans, 'send');
  const notify = named(collector.spans, 'notify');
  expect(notify.map(({ parentSpanId, status }) => [parentSpanId, status?.message])).toEqual([
    [send?.spanId, 'try-again'],
    [send?.spanId, undefined],
  ]);
  const calls = named(collector.spans, 'call');
  expect(calls.map(({ parentSpanId }) => parentSpanId)).toEqual(notify.map(({ spanId }) => spanId));
  expect(notified().map(({ traceparent }) => traceparent)).toEqual(
    calls.map(({ spanId }) => `00-${TRACE_ID}-${spanId}-01`),
  );
});

it('traces an upload from the request to the store, and refusals with their name', async () => {
  const collector = await startCollector();
  const spans = spansOf(collector.url);
  const { calls } = await uploadsTo((await temporaryFiles()).store, 1_000, undefined, spans);
  const { url } = await serve(calls, { spans });
  const upload = async (channelId: string, headers: Readonly<Record<string, string>>) => {
    const body = new FormData();
    const fields = { userId: '1', name: 'user1', channelId, type: 'direct', fileType: 'image' };
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    body.append('image', new Blob(['bytes']), 'a secret name.png');
    await fetch(`${url}/chat-server/file`, { method: 'POST', body, headers: { ...asUser(1), ...headers } });
  };
  await upload('5', { traceparent: PARENT });
  await upload('99', { traceparent: PARENT });
  await upload('5', { traceparent: PARENT.replace(/01$/, '00') });
  await spans.close();
  const uploads = named(collector.spans, 'upload');
  expect(uploads.map(({ traceId, parentSpanId, status }) => [traceId, parentSpanId, status?.message])).toEqual([
    [TRACE_ID, 'b7ad6b7169203331', undefined],
    [TRACE_ID, 'b7ad6b7169203331', 'not-permitted'],
  ]);
  expect(named(collector.spans, 'append').map(({ parentSpanId }) => parentSpanId)).toEqual([uploads[0]?.spanId]);
  expect(JSON.stringify(collector.spans)).not.toContain('a secret name');
});

it('traces what administrators send and delete, and refusals with their name', async () => {
  const collector = await startCollector();
  const spans = spansOf(collector.url);
  const { app } = await embeddedApplication({
    files: (await temporaryFiles()).store,
    world: { users: {}, rooms: { 5: [1, 2] }, communities: {} },
    spans,
  });
  const { url } = await serve({ service: app.service }, { spans });
  const call = (method: string, path: string, body?: object) =>
    fetch(`${url}/chat-server/service/messages${path}`, {
      method,
      headers: { ...AS_OPS, traceparent: PARENT },
      ...(body && { body: JSON.stringify(body) }),
    });
  const message = { place: 'r-5', userId: 1, content: 'a secret text' };
  const { id } = (await (await call('POST', '', message)).json()) as { id: string };
  await call('DELETE', `/${id}?place=r-5`);
  await call('POST', '', { ...message, place: 'r-99' });
  await spans.close();
  const services = named(collector.spans, 'service');
  expect(services.map(({ traceId, parentSpanId, status }) => [traceId, parentSpanId, status?.message])).toEqual([
    [TRACE_ID, 'b7ad6b7169203331', undefined],
    [TRACE_ID, 'b7ad6b7169203331', undefined],
    [TRACE_ID, 'b7ad6b7169203331', 'not-permitted'],
  ]);
  const [sent, deleted] = services;
  expect(named(collector.spans, 'append').map(({ parentSpanId }) => parentSpanId)).toEqual([
    sent?.spanId,
    deleted?.spanId,
  ]);
  expect(JSON.stringify(collector.spans)).not.toContain('a secret text');
});

it('delivers all messages while the collector is away, writes one line about it and keeps few spans', async () => {
  const collector = await startCollector();
  collector.hang();
  const { world, one, two, say, heard } = await twoServers(collector.url, { timeoutMs: 100 });
  const sender = await one.connect(world.ada.token);
  const reader = await two.connect(world.grace.token);
  for (let n = 1; n <= 50; n += 1) {
    say(sender, { traceparent: PARENT });
    await heard(reader, n);
  }
  for (let n = 0; n < 20_000; n += 1) one.spans.begin('send', null)?.end();
  await expect.poll(() => collector.unanswered, { timeout: 10_000 }).toBeGreaterThan(3);
  expect(one.telemetry.logs.filter(({ what }) => what.startsWith('traces are lost'))).toHaveLength(1);
  collector.answer();
  await Promise.all([one.spans.close(), two.spans.close()]);
  // 2,048 spans wait at most, and some are in requests that the collector did not answer.
  expect(collector.spans.length).toBeLessThan(4_096);
});
