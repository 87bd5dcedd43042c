import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../dev/services/free-port.ts';
import { startSystem } from './system.ts';

it('serves metrics, the service API and the admin page on the second port only, where INTERNAL_PORT is set', async () => {
  const port = await freePort();
  const token = 'x'.repeat(32);
  const system = await startSystem({ INTERNAL_PORT: String(port), ADMIN_TOKENS: `ops:${token}` });
  onTestFinished(() => system.stop());
  const inside = `http://127.0.0.1:${port}`;
  const status = async (url: string, init: RequestInit = {}) => (await fetch(url, init)).status;
  const call = { method: 'DELETE', headers: { authorization: `Bearer ${token}` } };
  const deletion = '/chat-server/service/messages/000000000000000000000001?place=r-5';
  const unknown = '{"code":4111';

  expect(await status(`${inside}/chat-server/health/ready`)).toBe(200);
  expect(await status(`${system.url}/chat-server/health/ready`)).toBe(200);
  expect(await status(`${inside}/metrics`)).toBe(200);
  expect(await status(`${inside}/admin`)).toBe(200);
  expect(await status(`${system.url}/admin`)).toBe(404);
  expect(await status(`${system.url}/metrics`)).toBe(404);
  expect(await (await fetch(inside + deletion, call)).text()).toContain(unknown);
  expect(await (await fetch(system.url + deletion, call)).text()).not.toContain(unknown);
  expect(await status(`${inside}/chat-server/unread?places=r-5`)).toBe(404);
});
