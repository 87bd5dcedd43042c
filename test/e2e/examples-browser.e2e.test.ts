import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { createServer } from 'vite';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, type TestContext } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';
import { chromiumOrSkip } from '../../dev/services/chromium.ts';
import { freePort } from '../../dev/services/free-port.ts';
import { codeBlocks } from '../support/code-blocks/blocks.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TUTORIAL = readFileSync(`${ROOT}docs/tutorial/small-chat.md`, 'utf8');

let port: number;
let server: ServerProcess;
let browser: Browser | undefined;

beforeAll(async () => {
  execFileSync(process.execPath, ['scripts/build-client.ts'], { cwd: ROOT, stdio: 'inherit' });
  port = await freePort();
  server = await ServerProcess.start({ env: { ALLOWED_ORIGINS: `http://127.0.0.1:${port}` } });
});
beforeEach(async (context) => {
  browser ??= await chromiumOrSkip(context as TestContext);
});
afterAll(async () => {
  await browser?.close();
  await server.dispose();
});

/** A new folder with the built client, as the tutorial and the README of the example say. */
function folderWithClient(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chat-example-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(`${ROOT}client/dist/browser.js`, join(folder, 'chat-server-client.js'));
  return folder;
}

/** Serves a folder with the program of the examples. */
async function serve(folder: string): Promise<void> {
  const site = spawn(process.execPath, [`${ROOT}examples/serve.ts`, folder, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    site.kill();
    await once(site, 'exit');
  });
  await once(site.stdout, 'data');
}

async function open(userId: number): Promise<Page> {
  if (browser === undefined) throw new Error('there is no browser');
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(`http://127.0.0.1:${port}/?user=${userId}&server=${server.url}`);
  return page;
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message').fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** Waits until a page shows a stored message. */
const seen = (page: Page, text: string) => page.locator('li.stored', { hasText: text }).waitFor();

it('shows two people to each other on the page without a build', async () => {
  const folder = folderWithClient();
  for (const file of ['index.html', 'chat.js']) cpSync(`${ROOT}examples/browser-page/${file}`, join(folder, file));
  await serve(folder);
  const [ada, grace] = [await open(1), await open(2)];
  await write(ada, 'from the page without a build');
  await seen(grace, 'user 1: from the page without a build');
  await grace.getByLabel('Message').pressSequentially('typing now');
  await ada.getByText('user 2 typing').or(ada.getByText('Grace typing')).waitFor();
});

it('shows two people to each other on the React page', async () => {
  const site = await createServer({ configFile: `${ROOT}examples/react/vite.config.ts`, server: { port } });
  onTestFinished(() => site.close());
  await site.listen();
  const [ada, grace] = [await open(1), await open(2)];
  await write(ada, 'from the React page');
  await seen(grace, 'user 1: from the React page');
  await grace
    .getByRole('button', { name: 'r-6' })
    .or(grace.getByRole('button', { name: 'r-7' }))
    .click();
  await write(ada, 'not seen yet');
  await grace.getByRole('button', { name: 'r-5' }).locator('b', { hasText: '1' }).waitFor();
});

it('builds the chat of the tutorial, which loses nothing when the server is killed and the page reloaded', async () => {
  const folder = folderWithClient();
  const blocks = codeBlocks(TUTORIAL);
  const [html] = blocks.filter(({ language }) => language === 'html');
  const pieces = blocks.filter(({ language, info }) => language === 'js' && info === '').map(({ code }) => code);
  const [firstLine = '', , ...connecting] = (blocks.find(({ info }) => info === 'replaces')?.code ?? '').split('\n');
  const code = pieces
    .join('\n')
    .replace(/^import .*$/m, firstLine)
    .replace(/^const chat = .*$/m, connecting.join('\n'))
    .replace('http://127.0.0.1:8080', server.url);
  writeFileSync(join(folder, 'index.html'), html?.code ?? '');
  writeFileSync(join(folder, 'chat.js'), code);
  await serve(folder);

  const [ada, grace] = [await open(1), await open(2)];
  await write(ada, 'from the tutorial');
  await seen(grace, 'from the tutorial');
  await grace.getByLabel('Message').pressSequentially('hm');
  await ada.getByText('is typing').waitFor();

  await server.kill();
  await ada.getByText('waiting').waitFor();
  for (const text of ['one', 'two', 'three']) await write(ada, text);
  await write(grace, 'four');
  await ada.locator('li.pending', { hasText: 'three' }).waitFor();
  await ada.reload();
  await server.restart();
  for (const text of ['one', 'two', 'three', 'four']) {
    await seen(ada, text);
    await seen(grace, text);
  }
  const [shownToAda, shownToGrace] = await Promise.all(
    [ada, grace].map((page) => page.locator('li').allTextContents()),
  );
  expect(shownToAda).toEqual(shownToGrace);
  expect(shownToAda?.slice(-4).filter((text) => !text.endsWith('four'))).toEqual([
    expect.stringMatching(/one$/),
    expect.stringMatching(/two$/),
    expect.stringMatching(/three$/),
  ]);
});
