import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Authority } from '../../../dev/services/certificates.ts';
import { readPresenceConfig } from '../../../neighbours/presence/config.ts';
import { Leases } from '../../../neighbours/presence/lease.ts';
import { type RunningPresence, startPresence } from '../../../neighbours/presence/server.ts';
import { HttpRecorder } from '../../support/http-recorder.ts';
import { PresenceClient } from '../../support/presence-client.ts';
import { describePresence } from './presence-suite.ts';

describePresence('memory', () => ({}));

const DIALOGUE = readFileSync(new URL('presence-dialogue.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

describe('the dialogue of an original chat server', () => {
  const asJson = (line: string) =>
    line
      .replaceAll(/(\w+)=/g, '"$1":')
      .replaceAll("'null'", 'null')
      .replaceAll("'", '"');

  it.each([
    ['in the older notation', (line: string) => line],
    ['as JSON', asJson],
  ])('answers an original chat server as the original presence service does, %s', async (_form, spell) => {
    const presence = await startPresence();
    const connections = new Map<string, { client: PresenceClient; replies: string[] }>();
    let compared = 0;
    for (const line of DIALOGUE) {
      const [, name = '', way, quoted = ''] = /^(\w+) ([<>]) (.*)$/.exec(line) ?? [];
      const text = String(JSON.parse(quoted)).trimEnd();
      const connection = connections.get(name) ?? { client: await PresenceClient.connect(presence.port), replies: [] };
      connections.set(name, connection);
      if (way === '>') {
        connection.replies.push(await connection.client.ask(spell(text)));
        continue;
      }
      const reply = connection.replies.shift();
      compared += 1;
      if (text === '반환메세지') expect(reply).toMatch(/./);
      // The original lost the place when the first of several sessions ended.
      else expect(reply).toBe(text.replace(/^(\d+),null$/, '$1,home'));
    }
    expect(compared).toBe(DIALOGUE.length / 2);
    await Promise.all([...connections.values()].map(({ client }) => client.close()));
    await presence.stop();
  });
});

describe('the presence server', () => {
  let presence: RunningPresence;
  let client: PresenceClient;

  beforeEach(async () => {
    presence = await startPresence({ lineBytes: 1_000 });
    client = await PresenceClient.connect(presence.port);
  });

  afterEach(async () => {
    await client.close();
    await presence.stop();
  });

  it('ends a connection whose line never ends, and serves the next one', async () => {
    client.send('x'.repeat(2_000));
    expect(await client.reply()).toBe('error: a line is longer than 1000 bytes');
    await once(client.socket, 'close');
    const next = await PresenceClient.connect(presence.port);
    expect(await next.login('s1', 1)).toBe('ok');
    await next.close();
  });

  it('stops while connections are open, also when it is stopped twice', async () => {
    await client.login('s1', 1);
    const closed = once(client.socket, 'close');
    await Promise.all([presence.stop(), presence.stop()]);
    await closed;
    await expect(PresenceClient.connect(presence.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('rejects the start when its port is in use', async () => {
    await expect(startPresence({ port: presence.port })).rejects.toThrow('EADDRINUSE');
  });
});

describe('the calls of presence to chat servers', () => {
  it('calls the next chat server when one refuses or is not reached', async () => {
    const gone = await HttpRecorder.start();
    await gone.stop();
    const refusing = await HttpRecorder.start(503);
    const taking = await HttpRecorder.start();
    const presence = await startPresence({ chatUrls: [gone.url, refusing.url, taking.url] });
    const client = await PresenceClient.connect(presence.port);
    await client.login('s1', 1);
    await client.enter(1, 1, 'c-11');
    await client.logout('s1');
    expect((await taking.next()).body).toMatchObject({ channelId: 'c-11', ids: [] });
    expect(refusing.calls).toHaveLength(1);
    await client.close();
    await presence.stop();
    await Promise.all([refusing.stop(), taking.stop()]);
  });

  it('repeats a call when no chat server accepts it', async () => {
    const chat = await HttpRecorder.start(500);
    const presence = await startPresence({ chatUrls: [chat.url] });
    const client = await PresenceClient.connect(presence.port);
    await client.login('s1', 1);
    await client.enter(1, 1, 'c-11');
    await client.logout('s1');
    await chat.next();
    chat.status = 200;
    await chat.next();
    await client.close();
    await presence.stop();
    await chat.stop();
  });
});

describe('the owners of sessions', () => {
  it('takes a host for the owner of sessions, but on loopback a single connection', () => {
    const leases = new Leases('me');
    const [a, b] = [leases.open('10.0.0.3'), leases.open('10.0.0.3')];
    expect(a).toBe(b);
    leases.close(a);
    expect(leases.owners()).toEqual(['host:10.0.0.3']);
    leases.close(b);
    expect(leases.owners()).toEqual([]);
    const local = ['127.0.0.1', '::ffff:127.0.0.1', '::1'].map((address) => leases.open(address));
    expect(new Set(local).size).toBe(3);
    expect(leases.owners()).toEqual(local);
  });
});

describe('the environment of presence', () => {
  it('reads an empty environment as the defaults of presence', () => {
    expect(readPresenceConfig({ REDIS_URL: '' })).toEqual({
      host: '127.0.0.1',
      port: 6060,
      chatUrls: [],
      leaseMs: 60_000,
    });
  });

  it.each([
    'redis://h',
    'rediss://user:p%40ss@h:6380/3',
    'redis://[::1]:6379,h2:7000',
    'redis-sentinel://h1,h2:26380/main/2',
    'rediss-sentinel://:secret@h1/main',
  ])('accepts %s as the address of Redis', (url) => {
    expect(readPresenceConfig({ REDIS_URL: url })).toMatchObject({ redisUrl: url });
  });

  it.each(['redis://', 'redis://h:70000', 'redis://h/x', 'redis-sentinel://h', 'redis://a,b/1', 'redis://%@h'])(
    'refuses %s as the address of Redis',
    (url) => {
      expect(() => readPresenceConfig({ REDIS_URL: url })).toThrow('REDIS_URL: must be like redis://host:6379');
    },
  );

  it('reads secrets and certificates from files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chat-test-presence-config-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const authority = await Authority.create(folder);
    const { certPath, keyPath, cert, key } = await authority.issue('presence', 'IP:127.0.0.1');
    const [token, url] = [join(folder, 'token'), join(folder, 'url')];
    await writeFile(token, 'secret\n');
    await writeFile(url, 'rediss://:secret@h\n');
    const files = { SERVICE_TOKEN_FILE: token, REDIS_URL_FILE: url, REDIS_TLS_CA: authority.pair.certPath };
    expect(readPresenceConfig({ ...files, TLS_CERT: certPath, TLS_KEY_FILE: keyPath })).toMatchObject({
      serviceToken: 'secret',
      redisUrl: 'rediss://:secret@h',
      redisCa: authority.pair.cert,
      tls: { cert, key: key.trimEnd() },
    });
    expect(() => readPresenceConfig({ ...files, SERVICE_TOKEN: 'x' })).toThrow(
      'SERVICE_TOKEN and SERVICE_TOKEN_FILE are both set',
    );
    expect(() => readPresenceConfig({ TLS_CERT: cert })).toThrow('TLS_CERT and TLS_KEY need each other');
    expect(() => readPresenceConfig({ TLS_CERT: cert, TLS_KEY: authority.pair.key })).toThrow(
      'TLS_KEY is not the key of TLS_CERT',
    );
  });

  it('reads the URLs of several chat servers', () => {
    const { chatUrls } = readPresenceConfig({ CHAT_URL: 'http://a:1/, http://b:2' });
    expect(chatUrls).toEqual(['http://a:1', 'http://b:2']);
  });

  it.each([
    ['PORT', '70000'],
    ['REDIS_URL', 'http://x'],
    ['CHAT_URL', 'nowhere'],
    ['LEASE_SECONDS', '0'],
    ['TLS_CERT', 'nowhere'],
    ['TLS_KEY', '-----BEGIN PRIVATE KEY-----'],
    ['REDIS_TLS_CA', '-----BEGIN CERTIFICATE-----'],
    ['SERVICE_TOKEN_FILE', '/nowhere/token'],
  ])('names the variable %s when it is not valid', (name, value) => {
    expect(() => readPresenceConfig({ [name]: value })).toThrow(name);
  });
});
