import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FaultProxy } from '../../dev/fault-proxy.ts';
import { Authority, type KeyPair } from '../../dev/services/certificates.ts';
import { startPresence } from '../../neighbours/presence/server.ts';
import { MemorySessionReporter } from '../../src/adapters/memory/session-reporter.ts';
import { TcpSessionReporter } from '../../src/adapters/tcp/session-reporter.ts';
import { sessionReporterContract, type VoiceLeftSeen } from './session-reporter.ts';

sessionReporterContract('in memory', async () => {
  const departures: VoiceLeftSeen[] = [];
  const reporter = new MemorySessionReporter({ onVoiceLeft: (left) => departures.push(left) });
  return { reporter, departures, stop: async () => {} };
});

it('takes users out of a voice channel who are not in it any more according to a call, in memory', async () => {
  const departures: VoiceLeftSeen[] = [];
  const reporter = new MemorySessionReporter({ onVoiceLeft: (left) => departures.push(left) });
  for (const id of [3, 7, 9]) await reporter.login(`s${id}`, id);
  for (const id of [3, 7]) await reporter.enterVoice(id, 1, 11);
  await reporter.enterVoice(9, 1, 12);
  await reporter.voiceReported(1, 11, ['7', '8']);
  expect(await reporter.voice(9, 1)).toEqual({ 11: ['7'], 12: ['9'] });
  expect(await reporter.moved(3, { kind: 'home' })).toEqual({ kind: 'home' });
  expect(departures).toEqual([]);
});

it('reports a departure with the users who are in the voice channel at that moment, in memory', async () => {
  const departures: VoiceLeftSeen[] = [];
  const reporter = new MemorySessionReporter({ onVoiceLeft: (left) => departures.push(left) });
  await reporter.enterVoice(3, 1, 11);
  await Promise.all([reporter.leaveVoice(3, 1, 11), reporter.enterVoice(7, 1, 11)]);
  expect(departures).toEqual([{ communityId: 1, channelId: 11, ids: ['7'] }]);
});

async function overNetwork(tls?: KeyPair, ca?: string) {
  const departures: VoiceLeftSeen[] = [];
  const called = createServer(async (request, response) => {
    const body: unknown = await json(request);
    response.end();
    departures.push(readDeparture(body));
  });
  await new Promise<void>((resolve) => called.listen(0, '127.0.0.1', resolve));
  const { port } = called.address() as AddressInfo;
  const presence = await startPresence({ chatUrls: [`http://127.0.0.1:${port}`], ...(tls && { tls }) });
  const reporter = new TcpSessionReporter({ host: '127.0.0.1', port: presence.port, ...(ca && { tls: { ca } }) });
  const stop = async () => {
    await reporter.close();
    await presence.stop();
    called.closeAllConnections();
    called.close();
  };
  return { reporter, departures, stop };
}

sessionReporterContract('over TCP', () => overNetwork());

const folder = await mkdtemp(join(tmpdir(), 'chat-test-presence-tls-'));
const authority = await Authority.create(folder);
const certificate = await authority.issue('presence', 'IP:127.0.0.1');
await rm(folder, { recursive: true, force: true });
sessionReporterContract('over TLS', () => overNetwork(certificate, authority.pair.cert));

function readDeparture(body: unknown): VoiceLeftSeen {
  const { communityId, channelId, ids } = body as { communityId: string; channelId: string; ids: string[] };
  return { communityId: Number(communityId), channelId: Number(channelId.slice(2)), ids };
}

it('forgets the place of a user without a session after a while, in memory', async () => {
  let now = 0;
  const reporter = new MemorySessionReporter({ now: () => now, provisionalMs: 1_000 });
  await reporter.moved(3, { kind: 'conversation', key: 'r-5' });
  expect(await reporter.notLooking('r-5', [3])).toEqual([]);
  now = 999;
  await reporter.login('s4', 4);
  expect(await reporter.notLooking('r-5', [3])).toEqual([]);
  now = 1_000;
  expect(await reporter.notLooking('r-5', [3])).toEqual([3]);
  await reporter.moved(3, { kind: 'conversation', key: 'r-5' });
  await reporter.login('s3', 3);
  now = 9_000;
  expect(await reporter.notLooking('r-5', [3])).toEqual([]);
});

describe('a session reporter with the presence service', () => {
  const ROOM = { kind: 'conversation', key: 'r-5' } as const;
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  async function through(presencePort: number) {
    const proxy = await FaultProxy.start({ target: presencePort });
    stops.push(() => proxy.stop());
    const options = { host: '127.0.0.1', port: proxy.port, retryMs: 10, maxRetryMs: 50 };
    const reporter = new TcpSessionReporter(options);
    stops.push(() => reporter.close());
    return { proxy, reporter };
  }
  const isBack = (reporter: TcpSessionReporter) =>
    vi.waitFor(() => expect(reporter.ready).toBe(4), { timeout: 5_000, interval: 10 });

  it('keeps sessions when their connections are replaced', async () => {
    const presence = await startPresence({ leaseMs: 150 });
    stops.push(presence.stop);
    const { proxy, reporter } = await through(presence.port);
    await reporter.login('s1', 1);
    await reporter.moved(1, ROOM);
    proxy.cut();
    await isBack(reporter);
    // Longer than the lease of a closed connection.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await reporter.notLooking('r-5', [1])).toEqual([]);
    expect(await reporter.logout('s1')).toEqual({ userId: 1, whereabouts: ROOM });
  });

  it('reports to a presence service that lost its data who is online, without those who left meanwhile', async () => {
    const first = await startPresence();
    const { proxy, reporter } = await through(first.port);
    await Promise.all([reporter.login('stays', 1), reporter.login('goes', 2)]);
    await first.stop();
    await proxy.setMode('refuse');
    await expect(reporter.logout('goes')).rejects.toMatchObject({ code: 'try-again' });
    await expect(reporter.login('comes', 3)).rejects.toMatchObject({ code: 'try-again' });
    await expect(reporter.moved(3, ROOM)).rejects.toMatchObject({ code: 'try-again' });
    const second = await startPresence({ port: first.port });
    stops.push(second.stop);
    await proxy.setMode('pass');
    await isBack(reporter);
    await vi.waitFor(async () => expect(await reporter.notLooking('r-5', [1, 2, 3])).toEqual([1, 2]));
    expect(await reporter.logout('stays')).toEqual({ userId: 1, whereabouts: { kind: 'home' } });
    expect(await reporter.logout('comes')).toEqual({ userId: 3, whereabouts: ROOM });
    expect(await reporter.logout('goes')).toBeNull();
  });
});
