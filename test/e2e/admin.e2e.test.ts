import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, type TestContext } from 'vitest';
import { chromiumOrSkip } from '../../dev/services/chromium.ts';
import { freePort } from '../../dev/services/free-port.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import { AdminPage } from '../support/admin-page.ts';
import { type EmbeddedSystem, startSystem } from './system.ts';

const TOKEN = 'a-token-of-operations-for-this-test';
const AUTH = { authorization: `Bearer ${TOKEN}` };
/** Users of the room 5 and others. */
const USERS = [1, 2, 3, 4, 5, 6, 7];
const ROOMS = [5, 6, 7, 8, 9];
/** Subscriptions of the slow client, so that few messages are many bytes. */
const MANY = 20;
/** The page refreshes every two seconds. */
const SOON = { timeout: 15_000 };

let system: EmbeddedSystem;
let inside: string;
let browser: Browser | undefined;

beforeAll(async () => {
  const port = await freePort();
  inside = `http://127.0.0.1:${port}`;
  system = await startSystem(
    {
      WORKERS: '2',
      SERVER_ID: 'chat',
      INTERNAL_PORT: String(port),
      ADMIN_TOKENS: `ops:${TOKEN}`,
      LIMIT_OUTGOING_BYTES: String(64 * 1024 * 1024),
    },
    { users: {}, rooms: Object.fromEntries(ROOMS.map((room) => [room, USERS])), communities: {} },
  );
});

beforeEach(async (context) => {
  browser ??= await chromiumOrSkip(context as TestContext);
});

afterAll(async () => {
  await browser?.close();
  await system?.stop();
});

async function open(options: Parameters<typeof AdminPage.open>[2] = {}): Promise<AdminPage> {
  if (browser === undefined) throw new Error('there is no browser');
  const admin = await AdminPage.open(browser, inside, options);
  onTestFinished(async () => {
    await admin.close();
    expect(admin.faults).toEqual([]);
    expect(admin.asked.filter((url) => url.includes(TOKEN) || !url.startsWith(inside))).toEqual([]);
  });
  return admin;
}

async function connect(userId: number): Promise<StompClient> {
  const client = await StompClient.connect({ url: system.url, token: system.token(userId), userId });
  onTestFinished(() => client.cut());
  return client;
}

async function call(method: string, path: string, body?: object): Promise<void> {
  const init = { method, headers: AUTH, body: body === undefined ? null : JSON.stringify(body) };
  expect((await fetch(`${inside}/chat-server/service/${path}`, init)).status).toBeLessThan(300);
}

const say = (client: StompClient, userId: number, room: number, content: string) =>
  client.send('/kafka/send-direct-message', { channelId: room, userId, name: 'x', content });

it('refuses a token that is not in ADMIN_TOKENS, keeps the right one over a reload, has the views in one line at each width, and forgets the token on request', async () => {
  const admin = await open();
  const { page } = admin;
  await admin.logIn('a-wrong-token');
  await expect
    .poll(() => page.getByRole('alert').first().textContent(), SOON)
    .toBe('This is no token of ADMIN_TOKENS.');
  await admin.logIn(TOKEN);
  await admin.row('Servers', 'chat-1').waitFor();
  await page.reload();
  await admin.row('Servers', 'chat-2').waitFor();
  for (const width of [1_440, 1_100, 390]) {
    await page.setViewportSize({ width, height: 820 });
    const links = await page.getByRole('navigation', { name: 'Views' }).getByRole('link').all();
    const tops = await Promise.all(links.map(async (link) => (await link.boundingBox())?.y));
    expect({ width, lines: new Set(tops).size }).toEqual({ width, lines: 1 });
  }
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Token of an administrator').waitFor();
  expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
});

it('shows both servers, a slow client, the busiest place, the sessions of a user and the JSON of each', async () => {
  const listeners = await Promise.all(USERS.flatMap((userId) => [connect(userId), connect(userId)]));
  await Promise.all(
    listeners.flatMap((client, i) =>
      ROOMS.filter((room) => room <= 5 + i / 2).map((room) => client.subscribe(`/topic/direct/${room}`)),
    ),
  );
  const slow = await connect(7);
  for (let i = 0; i < MANY; i++) await slow.subscribe('/topic/direct/9', { id: `s-${i}` });
  slow.pause();
  const [speaker] = listeners;
  if (speaker === undefined) throw new Error('nobody speaks');
  for (let i = 0; i < 60; i++) await say(speaker, 1, 9, 'x'.repeat(7_900));
  let isOver = false;
  onTestFinished(() => {
    isOver = true;
  });
  const talk = async (): Promise<void> => {
    for (let i = 0; !isOver; i++) await say(speaker, 1, 5 + (i % 3 === 0 ? i % 4 : 0), 'hello').catch(() => {});
  };
  void talk();

  const admin = await open();
  const { page } = admin;
  await admin.logIn(TOKEN);
  for (const server of ['chat-1', 'chat-2']) {
    await expect.poll(() => admin.row('Servers', server).textContent(), SOON).toMatch(/ready.* ms.*MiB/);
  }
  await admin.row('Busiest places', 'r-5').waitFor();
  await expect.poll(() => admin.row('Slow clients', 'user 7').first().textContent(), SOON).toMatch(/MiB/);
  if (process.env.ADMIN_PICTURE !== undefined) await picture(admin, process.env.ADMIN_PICTURE);

  await admin.view('Places');
  await admin.row('Busiest places', 'r-5').getByRole('link').click();
  await page.getByRole('heading', { name: 'Who is in r-5' }).waitFor();
  await page.getByRole('definition').getByRole('link', { name: 'user 3' }).waitFor();

  await admin.view('Slow clients');
  await admin.row('Slow clients', 'user 7').first().getByRole('link').click();
  const sessions = page.getByRole('table', { name: 'Sessions of user 7' }).getByRole('rowheader');
  // The slow one of the three is closed after a while.
  await expect.poll(() => sessions.count(), SOON).toBeGreaterThanOrEqual(2);

  await page.getByRole('button', { name: 'JSON of: Sessions of user 7' }).click();
  const json = JSON.parse((await page.getByLabel('JSON', { exact: true }).textContent()) ?? '');
  expect(json.sessions.map(({ subscriptions }: { subscriptions: number }) => subscriptions).toSorted()).toContain(MANY);
  const curl = (await page.getByLabel('Command line').textContent()) ?? '';
  expect(curl).toBe(`curl -H "Authorization: Bearer $TOKEN" '${inside}/chat-server/service/users/7/sessions'`);
});

/** Takes the picture of the documentation, when the lines of the tiles have some length. */
async function picture({ page }: AdminPage, path: string): Promise<void> {
  await page.waitForTimeout(60_000);
  await page.screenshot({ path });
}

it('traces a user live over both servers, without texts', async () => {
  const text = 'a text that no trace shows';
  const listeners = await Promise.all([connect(2), connect(2), connect(2), connect(2)]);
  const admin = await open();
  const { page } = admin;
  await admin.logIn(TOKEN);
  await admin.view('Users');
  await page.getByLabel('User id').fill('2');
  await page.getByRole('button', { name: 'Look' }).click();
  await page.getByRole('link', { name: 'Trace', exact: true }).last().click();
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('Watching at chat-1, chat-2').waitFor();
  const steps = page.getByRole('table', { name: 'Steps' }).getByRole('row');
  await Promise.all(listeners.map((client) => client.subscribe('/topic/direct/6')));
  const [speaker] = listeners;
  if (speaker !== undefined) await say(speaker, 2, 6, text);
  for (const server of ['chat-1', 'chat-2']) {
    await steps.filter({ hasText: 'delivered' }).filter({ hasText: server }).first().waitFor();
  }
  await steps.filter({ hasText: 'stored' }).first().waitFor();
  expect(await page.content()).not.toContain(text);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped.').waitFor();
});

it('changes nothing while ADMIN_PAGE_ACTIONS is off, also where the page is made to try', async () => {
  await call('PUT', 'mutes/3', { place: 'r-6', until: null });
  onTestFinished(() => call('DELETE', 'mutes/3?place=r-6'));
  const admin = await open();
  const { page } = admin;
  await admin.logIn(TOKEN);
  await page.getByText('read only').waitFor();
  await admin.view('Moderation');
  await admin.row('Mutes', 'user 3').waitFor();
  expect(await page.getByRole('button', { name: /^(Unmute|Unban|Change|Slow a place)/ }).count()).toBe(0);
  for (const referrerPolicy of ['origin', 'no-referrer']) {
    const init = JSON.stringify({ method: 'DELETE', headers: AUTH, referrerPolicy });
    const attempt = `fetch('/chat-server/service/mutes/3?place=r-6', ${init}).then(({ status }) => status)`;
    expect(await page.evaluate(attempt)).toBe(403);
  }
  await admin.view('Jobs');
  await admin.view('Moderation');
  await admin.row('Mutes', 'user 3').waitFor();
});

it('unmutes, bans and begins a dry run where ADMIN_PAGE_ACTIONS is on, on the port of clients without INTERNAL_PORT', async () => {
  const moderator = `http://127.0.0.1:${await freePort()}`;
  const env = { ADMIN_TOKENS: `ops:${TOKEN}`, ADMIN_PAGE_ACTIONS: 'on', MODERATOR_URL: moderator };
  const other = await startSystem(env);
  onTestFinished(() => other.stop());
  if (browser === undefined) return;
  const mute = { method: 'PUT', headers: AUTH, body: '{"place":"r-5"}' };
  await fetch(`${other.url}/chat-server/service/mutes/2`, mute);
  const admin = await AdminPage.open(browser, other.url);
  onTestFinished(() => admin.close());
  const { page } = admin;
  await admin.logIn(TOKEN);
  await page.getByText('may act').waitFor();
  const client = await StompClient.connect({ url: other.url, token: other.token(1), userId: 1 });
  onTestFinished(() => client.cut());
  await say(client, 1, 5, 'hello');
  await page.getByRole('status', { name: 'Degraded parts' }).getByText('moderator').waitFor();
  await expect.poll(() => page.getByText('degraded', { exact: true }).count(), SOON).toBe(1);
  await admin.view('Moderation');
  await page.getByRole('button', { name: 'Unmute user 2 r-5' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unmute' }).click();
  await page.getByText('Nobody is muted.').waitFor();

  await page.goto(`${other.url}/admin/#users/2`);
  await page.getByRole('button', { name: 'Ban' }).click();
  await page.getByLabel('Reason, for administrators only').fill('spam');
  await page.getByRole('dialog').getByRole('button', { name: 'Ban' }).click();
  await page.getByText('Banned by ops, without end: spam').waitFor();

  await admin.view('Jobs');
  await page.getByRole('button', { name: 'Dry run of retention' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).click();
  await page
    .getByText(/set RETENTION_DAYS|nothing expires|RETENTION/)
    .last()
    .waitFor();
  await page.getByLabel('Days of messages; empty: RETENTION_DAYS').fill('30');
  await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).click();
  await expect.poll(() => admin.row('Jobs', 'retention dry run').textContent(), SOON).toContain('done');
  expect(admin.faults).toEqual([]);
});

it.each([
  ['light', ['Places', 'Slow clients', 'Users', 'Trace', 'Moderation', 'Jobs'], {}],
  ['dark', ['Moderation'], { runOnly: ['color-contrast'] }],
] as const)('breaks no rule of accessibility in the %s colours', async (colorScheme, views, rules) => {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
  await call('PUT', 'bans/9', { reason: 'spam' });
  onTestFinished(() => call('DELETE', 'bans/9'));
  // The test brings a script of its own, which the policy of the page refuses.
  const admin = await open({ colorScheme, bypassCSP: true });
  const { page } = admin;
  const problems = async (): Promise<string[]> => {
    await page.evaluate(axe);
    const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(rules)})`)) as {
      violations: { id: string; nodes: { html: string }[] }[];
    };
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  };
  await page.getByLabel('Token of an administrator').waitFor();
  expect(await problems()).toEqual([]);
  await admin.logIn(TOKEN);
  await admin.row('Servers', 'chat-1').waitFor();
  expect(await problems()).toEqual([]);
  for (const view of views) {
    await admin.view(view);
    await page.getByText(/^Updated/).waitFor();
    expect(await problems(), view).toEqual([]);
  }
  await page
    .getByRole('button', { name: /^JSON of/ })
    .first()
    .click();
  expect(await problems()).toEqual([]);
});
