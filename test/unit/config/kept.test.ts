import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFileLinks } from '../../../src/adapters/http/file-links.ts';
import { hostLabel, serverIdentity } from '../../../src/bootstrap/identity.ts';
import { keptText } from '../../../src/bootstrap/kept-file.ts';
import { linkKeys, tokenSecrets } from '../../../src/bootstrap/secrets.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kept-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('creates a kept file once, with its folder, readable by its owner only', async () => {
  const path = join(folder, 'deep', 'in', 'it');
  expect(await keptText(path, () => 'first')).toBe('first');
  expect(await keptText(path, () => 'second')).toBe('first');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'deep', 'in'))).toEqual(['it']);
});

it('gives the same text to all who create a kept file at once', async () => {
  const path = join(folder, 'it');
  const texts = await Promise.all(Array.from({ length: 20 }, (_, index) => keptText(path, () => `text ${index}`)));
  expect(new Set(texts).size).toBe(1);
  expect(await readdir(folder)).toEqual(['it']);
});

it('keeps the text that another process has written in the meantime', async () => {
  const path = join(folder, 'it');
  const make = () => {
    writeFileSync(path, 'theirs');
    return 'ours';
  };
  expect(await keptText(path, make)).toBe('theirs');
  expect(await readdir(folder)).toEqual(['it']);
});

it('does not overwrite a kept file that is empty or cannot be read', async () => {
  const path = join(folder, 'it');
  await writeFile(path, '\n');
  await expect(keptText(path, () => 'new')).rejects.toThrow(`${path} is empty`);
  expect(await readFile(path, 'utf8')).toBe('\n');
  await expect(keptText(folder, () => 'new')).rejects.toThrow('EISDIR');
});

it('uses the configured server id, with the number of the worker', async () => {
  expect(await serverIdentity({ id: 'chat-1', dataDir: folder })).toBe('chat-1');
  expect(await serverIdentity({ id: 'chat-1', dataDir: folder }, 2)).toBe('chat-1-2');
  expect(await readdir(folder)).toEqual([]);
});

it('makes a server id of the host name and eight kept digits when none is configured', async () => {
  const id = await serverIdentity({ id: null, dataDir: folder });
  expect(id).toMatch(/-[0-9a-f]{8}$/);
  expect(id.slice(0, -9)).toBe(hostLabel(hostname()));
  expect(await serverIdentity({ id: null, dataDir: folder })).toBe(id);
  expect(await serverIdentity({ id: null, dataDir: folder }, 1)).toBe(`${id}-1`);
});

it('refuses a server-id file that holds something else', async () => {
  await writeFile(join(folder, 'server-id'), 'something else');
  await expect(serverIdentity({ id: null, dataDir: folder })).rejects.toThrow(
    'server-id must hold eight hexadecimal digits',
  );
});

it.each([
  ['Chat-Server.local', 'chat-server.local'],
  ['Adas Rechner (neu)', 'adas-rechner-neu'],
  ['*', 'server'],
  ['x'.repeat(100), 'x'.repeat(63)],
])('keeps of the host name %j what the name of a consumer group may have: %j', (name, label) => {
  expect(hostLabel(name)).toBe(label);
});

it('uses the configured secrets in their order', async () => {
  const jwt = { secret: 'a', previous: ['b', 'c'], encoding: 'utf8' } as const;
  expect(await tokenSecrets(jwt, folder)).toEqual({ secrets: ['a', 'b', 'c'], encoding: 'utf8' });
  expect(await readdir(folder)).toEqual([]);
});

it('generates a secret once and keeps it when none is configured', async () => {
  const jwt = { secret: null, previous: ['c2hvcnQ='], encoding: 'base64' } as const;
  const made = await tokenSecrets(jwt, folder);
  expect(Buffer.from(made.secrets[0] ?? '', 'base64')).toHaveLength(32);
  expect(made.secrets[1]).toBe('c2hvcnQ=');
  expect(await tokenSecrets(jwt, folder)).toEqual(made);
  expect((await stat(join(folder, 'jwt-secret'))).mode & 0o777).toBe(0o600);
});

it('refuses a secret that gives no key, without repeating it', async () => {
  await writeFile(join(folder, 'jwt-secret'), '???');
  const secrets = tokenSecrets({ secret: null, previous: [], encoding: 'base64' }, folder);
  await expect(secrets).rejects.toThrow('secret 1 gives an empty key');
});

it('derives the keys of file links from the keys of the tokens', () => {
  const options = { secrets: ['a', 'b'], encoding: 'utf8' } as const;
  const [first, second, ...more] = linkKeys(options);
  // RFC 5869 by hand: no salt, and one block of output.
  const derived = (from: Buffer, label: string) => {
    const step = createHmac('sha256', Buffer.alloc(32)).update(from).digest();
    return createHmac('sha256', step).update(`${label}\u0001`).digest();
  };
  const expected = derived(derived(Buffer.from('a'), 'chat-server link key'), 'chat-server file link');
  expect(Buffer.from(first ?? [])).toEqual(expected);
  expect(second).not.toEqual(first);
  expect(more).toEqual([]);
});

it('still accepts links that earlier versions of the server gave out', () => {
  const keys = linkKeys({ secrets: ['another secret', 'the one before'], encoding: 'utf8' });
  const clock = { now: () => 1_795_362_575_642 };
  const query = { exp: '1795449600', sig: 'Ab-6nUH1f5eOQjG5psISIcPZzBqI60VxsRfQmDcYUp8' };
  expect(createFileLinks({ keys, hours: 24, clock }).verify('key_of_the_file', query)).toBe(1_795_449_600_000);
});
