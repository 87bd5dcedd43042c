import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { Hub } from '../../src/adapters/hub/hub.ts';
import { HubClient } from '../../src/adapters/hub/hub-client.ts';
import { HubMemberCache } from '../../src/adapters/hub/member-cache.ts';
import { HubMessageBus } from '../../src/adapters/hub/message-bus.ts';
import type { VoiceDeparture } from '../../src/adapters/hub/protocol.ts';
import { HubSessionReporter } from '../../src/adapters/hub/session-reporter.ts';
import { HubSharedRates } from '../../src/adapters/hub/shared-rates.ts';
import { HubSiblingWorkers } from '../../src/adapters/hub/sibling-workers.ts';
import { MemoryMemberCache } from '../../src/adapters/memory/member-cache.ts';
import { MemorySessionReporter } from '../../src/adapters/memory/session-reporter.ts';
import { MemorySharedRates } from '../../src/adapters/memory/shared-rates.ts';
import { SystemTelemetry } from '../../src/adapters/system/telemetry.ts';
import type { IncomingRecord } from '../../src/application/ports/message-bus.ts';
import type { SharedRateLimits } from '../../src/application/ports/shared-rates.ts';
import { memberCacheContract } from './member-cache.ts';
import { messageBusContract } from './message-bus.ts';
import { sessionReporterContract } from './session-reporter.ts';
import { sharedRatesContract } from './shared-rates.ts';
import { numbered, said } from './world.ts';

const telemetry = SystemTelemetry.create({ level: 'silent' });
const LIMITS: SharedRateLimits = { message: { actions: 1, seconds: 60 }, upload: { actions: 1, seconds: 60 } };
let folder: string;
let path: string;
let hub: Hub;
const clients: HubClient[] = [];
let lastServer = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-test-hub-'));
  path = join(folder, 'hub.sock');
  hub = await startHub();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

async function startHub(limits = LIMITS): Promise<Hub> {
  const presence = new MemorySessionReporter({ onVoiceLeft: (left) => started.voiceLeft(left) });
  const rates = new MemorySharedRates(limits);
  const ports = { presence, members: new MemoryMemberCache(), rates };
  const started: Hub = new Hub(path, ports, { onDeserted: () => presence.forgetAll() });
  await started.listen();
  return started;
}

function client(server = `server-${++lastServer}`, onVoiceLeft: (left: VoiceDeparture) => void = () => {}): HubClient {
  const opened = new HubClient({ path, server, onVoiceLeft });
  clients.push(opened);
  return opened;
}

messageBusContract(
  () => ({
    open: (serverId) => new HubMessageBus({ hub: client(serverId), telemetry }),
    stopBroker: () => hub.close(),
    async startBroker() {
      hub = await startHub();
      // A record that one worker publishes before another is back would be lost for that one.
      await vi.waitFor(() => expect(clients.map(({ isJoined }) => isJoined)).not.toContain(false));
    },
  }),
  {
    cannotHoldGarbage: 'no other program can write',
    hasNoLargestRecord: 'records of any size pass',
    losesWhileDisconnected: 'the hub keeps no records; workers compare their numbers with the store',
  },
);

/** A hub that was started anew is empty. */
async function restartHub(limits = LIMITS): Promise<void> {
  await hub.close();
  hub = await startHub(limits);
}

memberCacheContract('in the hub', async () => {
  await restartHub();
  return { cache: new HubMemberCache(client()), stop: async () => {} };
});

sessionReporterContract('in the hub', async () => {
  await restartHub();
  const departures: VoiceDeparture[] = [];
  const reporter = new HubSessionReporter(client(undefined, (left) => departures.push(left)));
  return { reporter, departures, stop: async () => {} };
});

sharedRatesContract('in the hub', async (limits) => {
  await restartHub(limits);
  return { servers: [new HubSharedRates(client()), new HubSharedRates(client())], stop: async () => {} };
});

it('has one truth about presence and members for all workers', async () => {
  await restartHub();
  const [one, two] = [client(), client()];
  await new HubSessionReporter(one).login('s1', 3);
  await new HubSessionReporter(two).moved(3, { kind: 'conversation', key: 'r-5' });
  expect(await new HubSessionReporter(one).notLooking('r-5', [3, 4])).toEqual([4]);
  await new HubMemberCache(two).put('r-5', [3, 4]);
  expect(await new HubMemberCache(one).get('r-5')).toEqual([3, 4]);
});

it('reports live sessions, places and voice channels to a hub that was started anew', async () => {
  await restartHub();
  const [one, two] = [new HubSessionReporter(client()), new HubSessionReporter(client())];
  await one.login('s1', 3);
  await one.login('s2', 4);
  await two.login('s3', 7);
  await one.moved(3, { kind: 'conversation', key: 'r-5' });
  await two.enterVoice(7, 1, 11);
  await one.logout('s2');
  await restartHub();
  await vi.waitFor(async () => expect(await one.notLooking('r-5', [3, 4, 7])).toEqual([4, 7]));
  await vi.waitFor(async () => expect(await one.voice(3, 1)).toEqual({ 11: ['7'] }));
  expect(await two.logout('s2')).toBeNull();
  expect(await two.logout('s1')).toEqual({ userId: 3, whereabouts: { kind: 'conversation', key: 'r-5' } });
});

it('ends the sessions of killed servers itself only when no server is left that could report it', async () => {
  await restartHub();
  const [one, two] = [client(), client()];
  await new HubSessionReporter(one).login('s1', 3);
  await new HubSessionReporter(one).moved(3, { kind: 'conversation', key: 'r-5' });
  const staying = new HubSessionReporter(two);
  await staying.login('s2', 4);
  one.close();
  expect(await staying.notLooking('r-5', [3, 4])).toEqual([4]);
  two.close();
  const next = new HubSessionReporter(client());
  await vi.waitFor(async () => expect(await next.notLooking('r-5', [3, 4])).toEqual([3, 4]));
  expect(await next.logout('s1')).toBeNull();
});

it('tells one server that a user left a voice channel', async () => {
  await restartHub();
  const told: string[] = [];
  const [one, two] = ['one', 'two'].map((name) => new HubSessionReporter(client(name, () => told.push(name))));
  await one?.login('s1', 3);
  await two?.enterVoice(3, 1, 11);
  await one?.leaveVoice(3, 1, 11);
  await vi.waitFor(() => expect(told).toHaveLength(1));
});

it('refuses calls within their limit of time while the hub is away, and a member cache is empty then', async () => {
  await restartHub();
  const opened = client();
  const [reporter, cache] = [new HubSessionReporter(opened), new HubMemberCache(opened)];
  const rates = new HubSharedRates(opened);
  await reporter.login('s1', 3);
  await cache.put('r-5', [3]);
  await hub.close();
  await expect(reporter.moved(3, { kind: 'home' })).rejects.toMatchObject({ code: 'try-again' });
  expect(await cache.get('r-5')).toBeNull();
  expect(await rates.take('message', 3)).toBeNull();
  hub = await startHub();
  await vi.waitFor(async () => expect(await reporter.moved(3, { kind: 'home' })).toEqual({ kind: 'home' }));
});

it('brings stored events to the other workers, and names the workers that it reaches', async () => {
  await restartHub();
  const [here, there] = [new HubSiblingWorkers(client('here')), new HubSiblingWorkers(client('there'))];
  const heard: IncomingRecord[] = [];
  const own: IncomingRecord[] = [];
  here.listen((record) => own.push(record));
  there.listen((record) => heard.push(record));
  await vi.waitFor(() => expect([here.reaches('there'), there.reaches('here')]).toEqual([true, true]));
  expect([here.reaches('here'), here.reaches('elsewhere')]).toEqual([false, false]);
  const [first, second] = numbered(7, [said('r-5', 'one'), said('r-5', 'two')]);
  if (first === undefined || second === undefined) throw new Error('two events were asked for');
  here.send([
    { event: first, batchEnd: 8, trace: 'a trace' },
    { event: second, batchEnd: 8 },
  ]);
  await vi.waitFor(() => expect(heard).toHaveLength(2));
  expect(heard.map(({ key, server, seq, batchEnd, trace }) => [key, server, seq, batchEnd, trace])).toEqual([
    ['r-5', 'here', 7, 8, 'a trace'],
    ['r-5', 'here', 8, 8, null],
  ]);
  expect(heard.map((record) => record.read())).toEqual([first, second]);
  expect(own).toEqual([]);
});

it('reaches no worker while the hub is away or after the worker has left', async () => {
  await restartHub();
  const leaving = client('leaving');
  const staying = new HubSiblingWorkers(client('staying'));
  await vi.waitFor(() => expect(staying.reaches('leaving')).toBe(true));
  await leaving.leave();
  await vi.waitFor(() => expect(staying.reaches('leaving')).toBe(false));
  client('coming');
  await vi.waitFor(() => expect(staying.reaches('coming')).toBe(true));
  await hub.close();
  await vi.waitFor(() => expect(staying.reaches('coming')).toBe(false));
  staying.send([{ event: { ...said('r-5', 'lost'), seq: 1 } }]);
  hub = await startHub();
  await vi.waitFor(() => expect(staying.reaches('coming')).toBe(true));
});
