import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { startPresence } from '../../neighbours/presence/server.ts';
import { MemorySessionReporter } from '../../src/adapters/memory/session-reporter.ts';
import { TcpSessionReporter } from '../../src/adapters/tcp/session-reporter.ts';
import { sessionReporterContract, type VoiceLeftSeen } from './session-reporter.ts';

sessionReporterContract('in memory', async () => {
  const departures: VoiceLeftSeen[] = [];
  const reporter = new MemorySessionReporter({ onVoiceLeft: (left) => departures.push(left) });
  return { reporter, departures, stop: async () => {} };
});

sessionReporterContract('over TCP', async () => {
  const departures: VoiceLeftSeen[] = [];
  const called = createServer(async (request, response) => {
    const told: unknown = await json(request);
    response.end();
    departures.push(readDeparture(told));
  });
  await new Promise<void>((resolve) => called.listen(0, '127.0.0.1', resolve));
  const { port } = called.address() as AddressInfo;
  const presence = await startPresence({ chatUrls: [`http://127.0.0.1:${port}`] });
  const reporter = new TcpSessionReporter({ host: '127.0.0.1', port: presence.port });
  const stop = async () => {
    await reporter.close();
    await presence.stop();
    called.closeAllConnections();
    called.close();
  };
  return { reporter, departures, stop };
});

function readDeparture(told: unknown): VoiceLeftSeen {
  const { communityId, channelId, ids } = told as { communityId: string; channelId: string; ids: string[] };
  return { communityId: Number(communityId), channelId: Number(channelId.slice(2)), ids };
}

test('in memory, a place told of a user without a session is forgotten after a while', async () => {
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
