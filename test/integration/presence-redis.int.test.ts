import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type RunningRedis, startRedis } from '../../dev/services/redis.ts';
import { describeWithOwnService, describeWithService } from '../../dev/services/shared.ts';
import { type PresenceOptions, type RunningPresence, startPresence } from '../../neighbours/presence/server.ts';
import { HttpRecorder } from '../support/http-recorder.ts';
import { PresenceClient } from '../support/presence-client.ts';
import { describePresence } from '../unit/neighbours/presence-suite.ts';

const ownPrefix = () => `presence-${randomUUID()}:`;

await describeWithService('redis', 'presence and Redis', ({ redis }) => {
  describePresence('Redis', () => ({ redisUrl: redis, redisPrefix: ownPrefix() }));

  const running: RunningPresence[] = [];
  const clients: PresenceClient[] = [];
  let prefix = '';

  async function start(options: PresenceOptions = {}): Promise<[RunningPresence, PresenceClient]> {
    const presence = await startPresence({ redisUrl: redis, redisPrefix: prefix, ...options });
    const client = await PresenceClient.connect(presence.port);
    running.push(presence);
    clients.push(client);
    return [presence, client];
  }

  beforeEach(() => {
    prefix = ownPrefix();
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await Promise.all(running.splice(0).map((presence) => presence.stop()));
  });

  it('shares its state between two processes', async () => {
    const [, a] = await start();
    const [, b] = await start();
    await a.login('s1', 1);
    expect(await b.state(1, 'r-5')).toBe('home,r-5');
    expect(await a.looking('r-5', [1, 2])).toBe('[2]');
    await b.login('s2', 1);
    expect(await a.enter(1, 1, 'c-11')).toBe('{"11":["1"]}');
    expect(await b.inVoice(1)).toBe('{"11":["1"]}');
    expect(await b.logout('s1')).toBe('1,com1,c-11');
    expect(await a.inVoice(1)).toBe('{"11":["1"]}');
    expect(await a.logout('s2')).toBe('1,com1,c-11');
    expect(await b.inVoice(1)).toBe('{}');
  });

  it('ends no session because the clocks of two processes differ by ten minutes', async () => {
    const { now } = Date;
    const skewed = async (skew: number) => {
      vi.spyOn(Date, 'now').mockImplementation(() => now() + skew);
      try {
        return await start({ leaseMs: 1_500 });
      } finally {
        vi.restoreAllMocks();
      }
    };
    const [, ahead] = await skewed(600_000);
    const [, behind] = await skewed(-600_000);
    await behind.login('s1', 1);
    await ahead.login('s2', 2);
    await behind.state(1, 'r-5');
    await ahead.state(2, 'r-5');
    // Both processes sweep several times within two leases.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    for (const client of [ahead, behind]) expect(await client.looking('r-5', [1, 2])).toBe('[]');
  });

  it('loses no change when two processes change one user at once', async () => {
    const [, a] = await start();
    const [, b] = await start();
    const names = Array.from({ length: 30 }, (_, n) => `s${n}`);
    await Promise.all(names.map((name, n) => (n % 2 === 0 ? a : b).login(name, 1)));
    for (const name of names.slice(1)) a.send({ type: 'logout', session_id: name });
    for (const name of names.slice(1)) b.send({ type: 'logout', session_id: name });
    const ended = await Promise.all(names.slice(1).map(async () => [await a.reply(), await b.reply()]));
    for (const pair of ended) expect(pair.toSorted()).toEqual(['1,home', 'null,null']);
    expect(await b.looking('home', [1])).toBe('[]');
    expect(await a.logout('s0')).toBe('1,home');
    expect(await b.looking('home', [1])).toBe('[1]');
  });

  it('reads the voice channel of entries that an earlier version wrote', async () => {
    const [, client] = await start();
    const inspect = new Redis(redis);
    const former = { since: 5, sessions: {}, provisional: Date.now() + 60_000 };
    for (const [user, place, call] of [
      ['1', 'com1,c-11', false],
      ['2', 'r-5', true],
      ['3', 'r-5', false],
    ]) {
      await inspect.set(`${prefix}user:${user}`, JSON.stringify({ ...former, place, call }));
    }
    await inspect.zadd(`${prefix}voice:com1`, 5, '11:1');
    await inspect.zadd(`${prefix}voice:r-5`, 5, '5:2');
    inspect.disconnect();
    for (const user of [1, 2, 3]) await client.state(user, 'home');
    expect(await client.inVoice(1)).toBe('{"11":["1"]}');
    expect(await client.ask({ type: 'before-enter', user_id: 1, channel_id: 'r-5' })).toBe('{"5":["2"]}');
    await client.leave(1, 1, 'c-11');
    await client.leave(2, null, 'r-5');
    expect(await client.inVoice(1)).toBe('{}');
    expect(await client.ask({ type: 'before-enter', user_id: 1, channel_id: 'r-5' })).toBe('{}');
  });

  it('keeps its state over a restart, and gives up sessions that do not return', async () => {
    const chat = await HttpRecorder.start();
    const [first, client] = await start();
    await client.login('kept', 1);
    await client.login('lost', 2);
    await client.state(1, 'r-5');
    await client.enter(2, 1, 'c-11');
    await client.close();
    await first.stop();
    const [, again] = await start({ leaseMs: 300, chatUrls: [chat.url] });
    expect(await again.looking('r-5', [1, 2])).toBe('[2]');
    await again.login('kept', 1);
    const inspect = new Redis(redis);
    await inspect.zadd(
      `${prefix}owners`,
      ...(await inspect.zrange(`${prefix}owners`, '0', '-1')).flatMap((o) => ['1', o]),
    );
    expect((await chat.next()).body).toEqual({ type: 'out', communityId: '1', channelId: 'c-11', ids: [] });
    expect(await again.logout('lost')).toBe('null,null');
    expect(await again.logout('kept')).toBe('1,r-5');
    await vi.waitFor(async () => {
      const keys = await inspect.keys(`${prefix}*`);
      expect(keys.filter((key) => !/:(alive|owners)$/.test(key))).toEqual([]);
    });
    inspect.disconnect();
    await chat.stop();
  });
});

await describeWithOwnService('redis', 'presence without Redis', () => {
  let redis: RunningRedis;
  let presence: RunningPresence;
  let client: PresenceClient;

  beforeEach(async () => {
    redis = await startRedis({ own: true });
    presence = await startPresence({ redisUrl: redis.url });
    client = await PresenceClient.connect(presence.port);
    await client.login('before', 1);
    await client.state(1, 'r-5');
    await client.login('ends', 2);
    for (const user of [4, 5]) {
      await client.login(`talks${user}`, user);
      await client.enter(user, 1, 'c-11');
    }
  });

  afterEach(async () => {
    await client.close();
    await presence.stop();
    await redis.stop();
  });

  async function meanwhile(): Promise<void> {
    const asked = performance.now();
    expect(await client.looking('r-5', [1, 2])).toBe('[2]');
    expect(performance.now() - asked).toBeLessThan(1_000);
    expect(presence.complete()).toBe(false);
    await client.login('during', 3);
    expect(await client.state(3, 'r-5')).toBe('home,r-5');
    expect(await client.logout('ends')).toBe('2,home');
    expect(await client.state(1, 'home')).toBe('r-5,home');
    await client.enter(4, 1, 'c-12');
    await client.leave(4, 1, 'c-12');
    await client.leave(5, 1, 'c-12');
    expect(await client.state(5, 'r-5')).toBe('com1,c-11,r-5');
  }

  async function afterwards(): Promise<void> {
    await vi.waitFor(() => expect(presence.complete()).toBe(true), 10_000);
    const other = await startPresence({ redisUrl: redis.url });
    const asking = await PresenceClient.connect(other.port);
    expect(await asking.looking('r-5', [1, 2, 3])).toBe('[1, 2]');
    expect(await asking.looking('home', [1, 2, 3])).toBe('[2, 3]');
    expect(await asking.logout('ends')).toBe('null,null');
    expect(await asking.logout('before')).toBe('1,home');
    expect(await asking.inVoice(1)).toBe('{"11":["5"]}');
    expect(await asking.logout('talks4')).toBe('4,home');
    expect(await asking.logout('talks5')).toBe('5,r-5');
    await asking.close();
    await other.stop();
  }

  it('answers from memory while Redis is killed, and writes its changes when Redis is back', async () => {
    await redis.kill();
    await meanwhile();
    await redis.restart();
    await afterwards();
  });

  it('answers quickly while Redis hangs', async () => {
    await redis.freeze();
    await meanwhile();
    await redis.thaw();
    await afterwards();
  });

  it('writes its whole state again to a Redis that was emptied', async () => {
    await client.enter(2, 1, 'c-11');
    await client.state(5, 'r-5');
    // Redis is emptied before it is killed. After the restart, presence could reconnect first.
    const inspect = new Redis(redis.url);
    await inspect.flushall();
    inspect.disconnect();
    await redis.kill();
    await vi.waitFor(async () => {
      await client.looking('r-5', [1]);
      expect(presence.complete()).toBe(false);
    }, 10_000);
    await redis.restart();
    await vi.waitFor(() => expect(presence.complete()).toBe(true), 10_000);
    expect(await client.logout('before')).toBe('1,r-5');
    expect(await client.inVoice(1)).toBe('{"11":["4","5","2"]}');
    expect(await client.logout('talks5')).toBe('5,r-5');
  });

  it('writes the changes of the last seconds again, which a killed Redis may lose', async () => {
    const inspect = new Redis(redis.url);
    await inspect.del('presence:session:before', 'presence:user:1');
    inspect.disconnect();
    await redis.kill();
    await vi.waitFor(async () => {
      await client.looking('r-5', [1]);
      expect(presence.complete()).toBe(false);
    }, 10_000);
    await redis.restart();
    await vi.waitFor(() => expect(presence.complete()).toBe(true), 10_000);
    const other = await startPresence({ redisUrl: redis.url });
    const asking = await PresenceClient.connect(other.port);
    expect(await asking.looking('r-5', [1, 2, 3])).toBe('[2, 3]');
    expect(await asking.logout('before')).toBe('1,r-5');
    expect(await asking.logout('ends')).toBe('2,home');
    await asking.close();
    await other.stop();
  });

  it('serves clients although Redis is down from the start', async () => {
    await redis.kill();
    const alone = await startPresence({ redisUrl: redis.url });
    const asking = await PresenceClient.connect(alone.port);
    expect(await asking.login('s1', 9)).toBe('ok');
    expect(await asking.logout('s1')).toBe('9,home');
    await asking.close();
    await alone.stop();
  });
});
