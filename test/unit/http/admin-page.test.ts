import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { serve } from './harness.ts';

const ADMIN = new URL('../../../admin/', import.meta.url);

it('serves the admin page and each of its files under a policy that allows own files only', async () => {
  const { url } = await serve({});
  for (const file of ['', ...readdirSync(ADMIN).filter((name) => name !== 'tsconfig.json')]) {
    const answer = await fetch(`${url}/admin/${file}`);
    expect([file, answer.status]).toEqual([file, 200]);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  }
});

it('redirects to the address with a slash, relatively, because of proxies with a prefix', async () => {
  const { url } = await serve({});
  const answer = await fetch(`${url}/admin`, { redirect: 'manual' });
  expect([answer.status, answer.headers.get('location')]).toEqual([308, 'admin/']);
});

it.each(['no-such-file', '../package.json', '%2e%2e/package.json', '.hidden'])(
  'answers /admin/%s with 404',
  async (path) => {
    const { url } = await serve({});
    const answer = await fetch(`${url}/admin/${path}`);
    expect([answer.status, await answer.text()]).toEqual([404, 'no page has this address\n']);
  },
);

it('is closed while there are no administrators', async () => {
  const { url } = await serve({}, { hasAdmins: false });
  for (const path of ['/admin', '/admin/', '/admin/app.js']) {
    const answer = await fetch(url + path, { redirect: 'manual' });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toBe('the admin page is closed; the server has no ADMIN_TOKENS\n');
  }
});

it('has no inline script or style, and no address of another host', async () => {
  const { url } = await serve({});
  const page = await (await fetch(`${url}/admin/`)).text();
  expect(page).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|https?:|\/\//i);
});
