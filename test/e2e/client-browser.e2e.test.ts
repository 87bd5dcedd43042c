import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Chat, connect, IndexedDbStorage, Place } from 'chat-server-client';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';
import { chromiumOrSkip } from '../../dev/services/chromium.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const HTML = `<!doctype html><title>client</title><script type="module">
  import * as client from './client.js'; Object.assign(globalThis, client);</script>`;
const CLIENT = fileURLToPath(new URL('../../client/src/index.ts', import.meta.url));

/** What the page of these tests has as globals. */
interface TestPage {
  connect: typeof connect;
  IndexedDbStorage: typeof IndexedDbStorage;
  chat: Chat;
  room: Place;
  progress: Set<number | null>;
}

let server: ServerProcess;
let browser: Browser | undefined;
let code: string;
/**
 * Serves the page of these tests, from an origin of its own, so it is there while the chat is not.
 */
const site = createServer(({ url }, answer) => {
  answer.setHeader('content-type', url === '/client.js' ? 'text/javascript' : 'text/html');
  answer.end(url === '/client.js' ? code : HTML);
});
let origin: string;

beforeAll(async () => {
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  server = await ServerProcess.start({ env: { ALLOWED_ORIGINS: origin } });
  const bundle = await rolldown({ input: CLIENT, platform: 'browser' });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  code = output[0].code;
});
beforeEach(async (context) => {
  browser ??= await chromiumOrSkip(context as TestContext);
});
afterAll(async () => {
  await browser?.close();
  await server.dispose();
  site.close();
});

async function browserContext(): Promise<BrowserContext> {
  if (browser === undefined) throw new Error('there is no browser');
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context;
}

/** Opens or reloads a tab, with a chat of user 1 in room 5. */
async function start(page: Page, token: string): Promise<void> {
  await page.goto(origin);
  await page.waitForFunction('globalThis.connect !== undefined');
  await page.evaluate(
    ([url, token]) => {
      const tab = globalThis as unknown as TestPage;
      const storage = new tab.IndexedDbStorage('outbox-1');
      tab.chat = tab.connect({ url, token: async () => token, user: { name: 'Ada' }, storage });
      tab.room = tab.chat.room(5);
      tab.progress = new Set();
      tab.room.subscribe(() => {
        for (const { progress } of tab.room.getSnapshot().entries) tab.progress.add(progress);
      });
    },
    [server.url, token] as const,
  );
}

const send = (page: Page, text: string) =>
  page.evaluate((text) => void (globalThis as unknown as TestPage).room.send(text), text);
const shown = (page: Page) =>
  page.evaluate(() => {
    const { entries } = (globalThis as unknown as TestPage).room.getSnapshot();
    return entries.map(({ text, file, state }) => `${text || file?.name} ${state}`);
  });

async function token(): Promise<string> {
  const answer = await fetch(`${server.url}/demo/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId: 1 }),
  });
  return ((await answer.json()) as { token: string }).token;
}

it('keeps messages and files in IndexedDB over a reload while the server is away, and sends them once in order', async () => {
  const page = await (await browserContext()).newPage();
  const ada = await token();
  await start(page, ada);
  await send(page, 'one');
  await vi.waitFor(async () => expect(await shown(page)).toEqual(['one stored']), WAIT);
  await server.kill();
  for (const text of ['two', 'three']) await send(page, text);
  await page.evaluate(() => {
    const file = new File([new Uint8Array(1_000_000)], 'notes.bin');
    void (globalThis as unknown as TestPage).room.share(file);
  });
  // A write that is not done when the page ends is lost. Another tab sees what is written.
  const kept = () => page.evaluate(() => new (globalThis as unknown as TestPage).IndexedDbStorage('outbox-1').load());
  await vi.waitFor(async () => expect(await kept()).toHaveLength(3), WAIT);
  await start(page, ada);
  await send(page, 'four');
  await vi.waitFor(async () => expect(await shown(page)).toHaveLength(4), WAIT);
  await server.restart();
  const text = (all: string[]) => all.filter((each) => !each.startsWith('notes'));
  await vi.waitFor(async () => {
    const all = await shown(page);
    expect(text(all)).toEqual(['one stored', 'two stored', 'three stored', 'four stored']);
    expect(all).toContain('notes.bin stored');
  }, WAIT);
  const progress = await page.evaluate(() => [...(globalThis as unknown as TestPage).progress]);
  expect(progress.some((part) => part !== null && part > 0)).toBe(true);
  expect(await kept()).toEqual([]);
});

it('sends from one of several tabs, and from another one when that is closed', async () => {
  const context = await browserContext();
  const [first, second] = [await context.newPage(), await context.newPage()];
  const sent: string[] = [];
  for (const [name, page] of [
    ['first', first],
    ['second', second],
  ] as const) {
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        if (String(payload).includes('send-direct-message')) sent.push(name);
      });
    });
    await start(page, await token());
  }
  const before = await vi.waitFor(async () => {
    const entries = await shown(second);
    expect(entries.length).toBeGreaterThan(0);
    return entries;
  }, WAIT);
  for (const [page, text] of [
    [first, 'a'],
    [second, 'b'],
    [first, 'c'],
    [second, 'd'],
  ] as const)
    await send(page, text);
  const stored = (texts: string[]) => [...before, ...texts.map((text) => `${text} stored`)];
  await vi.waitFor(
    async () => expect((await shown(second)).toSorted()).toEqual(stored(['a', 'b', 'c', 'd']).toSorted()),
    WAIT,
  );
  expect(await shown(first)).toEqual(await shown(second));
  expect(sent).toEqual(['first', 'first', 'first', 'first']);
  await send(second, 'e');
  await first.close();
  await send(second, 'f');
  await vi.waitFor(async () => expect((await shown(second)).slice(-2)).toEqual(['e stored', 'f stored']), WAIT);
  expect(sent.at(-1)).toBe('second');
});
