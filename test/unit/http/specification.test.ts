import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { originRule } from '../../../src/adapters/http/origins.ts';
import { serve } from './harness.ts';

describe.each(['openapi', 'asyncapi'])('/%s.json', (name) => {
  const file = new URL(`../../../docs/public/${name}.json`, import.meta.url);

  it('is the generated file, to everybody, and a browser may show it to pages of allowed origins', async () => {
    const { url } = await serve({}, { allowOrigin: originRule('https://docs.example') });
    const read = (origin: string) => fetch(`${url}/${name}.json`, { headers: { origin } });
    const allowed = await read('https://docs.example');
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('content-type')).toBe('application/json');
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://docs.example');
    expect(await allowed.text()).toBe(await readFile(file, 'utf8'));
    expect((await read('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is sent once to a client that keeps it', async () => {
    const { url } = await serve({});
    const first = await fetch(`${url}/${name}.json`, { method: 'HEAD' });
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{32}"$/);
    expect(first.headers.get('cache-control')).toBe('no-cache');
    expect(first.headers.get('content-length')).toBe(String((await readFile(file)).length));
    const again = await fetch(`${url}/${name}.json`, { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const other = await fetch(`${url}/${name}.json`, { headers: { 'if-none-match': '"another"' } });
    expect(other.status).toBe(200);
    await other.body?.cancel();
  });
});
