/**
 * Measures the page in Chromium: what it loads, the time to the first messages, and the work for an
 * arriving message. Arguments: runs (7), round trip in ms (60), messages in the room (2,000).
 */
import { type AddressInfo, createServer, connect as dial, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { connect } from '../client/src/index.ts';
import { ServerProcess } from '../dev/server-process.ts';
import { startChromium } from '../dev/services/chromium.ts';
import { bundlePage } from '../scripts/page-bundle.ts';
import { heading, spread, table } from './load/table.ts';

const [runs = 7, roundTripMs = 60, inRoom = 2_000] = process.argv.slice(2).map(Number);
const DESKTOP = { viewport: { width: 1280, height: 800 } };
const ARRIVING = 60;
const SHOWN = '#messages [data-seq]';
/** Notes the time at which the first message is in the page. */
const WATCH = `new MutationObserver((_, observer) => {
  if (document.querySelector('${SHOWN}') === null) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { globalThis.firstMessageAt = performance.now(); }));
}).observe(document, { childList: true, subtree: true });`;

/** A line to a port that takes `roundTripMs` there and back, also for opening a connection. */
function slowLine(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: false, pauseOnConnect: true }, async (client) => {
    client.setNoDelay().on('error', () => client.destroy());
    await delay(roundTripMs);
    const target = dial({ port, host: '127.0.0.1', noDelay: true });
    target.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => target.destroy());
    client.on('data', (bytes) => setTimeout(() => target.write(bytes), roundTripMs / 2));
    target.on('data', (bytes) => setTimeout(() => client.write(bytes), roundTripMs / 2));
    client.resume();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

interface Load {
  readonly firstMs: number;
  readonly requests: number;
  readonly kilobytes: number;
  readonly scriptKilobytes: number;
}

/** Opens a room in a new browser profile, as somebody does who was never here. */
async function load(browser: Browser, url: string): Promise<Load> {
  const context = await browser.newContext(DESKTOP);
  const page = await context.newPage();
  await page.addInitScript(WATCH);
  const answers: { readonly type: string; readonly bytes: Promise<number>; readonly onWire: Promise<number> }[] = [];
  page.on('response', (response) => {
    const bytes = response
      .body()
      .then((body) => gzipSync(body).length)
      .catch(() => 0);
    const onWire = response
      .request()
      .sizes()
      .then(({ responseBodySize }) => responseBodySize)
      .catch(() => 0);
    answers.push({ type: response.request().resourceType(), bytes, onWire });
  });
  await page.goto(`${url}/#/1/c-11`);
  const firstMs = await firstMessage(page);
  const count = answers.length;
  await page.waitForLoadState('networkidle');
  const sum = async (list: typeof answers, of: 'bytes' | 'onWire') =>
    (await Promise.all(list.map((answer) => answer[of]))).reduce((total, each) => total + each, 0) / 1_000;
  const scripts = answers.filter(({ type }) => type === 'script');
  const measured = {
    firstMs,
    requests: count,
    kilobytes: await sum(answers, 'onWire'),
    scriptKilobytes: await sum(scripts, 'bytes'),
  };
  await context.close();
  return measured;
}

async function firstMessage(page: Page): Promise<number> {
  for (;;) {
    const at = await page.evaluate('globalThis.firstMessageAt');
    if (typeof at === 'number') return at;
    await delay(20);
  }
}

async function busyMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000;
}

/** Milliseconds of the main thread for each message that arrives. */
async function arriving(page: Page, send: (text: string) => Promise<unknown>, isUp: boolean): Promise<number[]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  if (isUp) await page.evaluate("document.querySelector('#messages').scrollTop -= 3000");
  await delay(500);
  const all: number[] = [];
  for (let turn = 0; turn < ARRIVING; turn += 1) {
    const before = await busyMs(session);
    await send(`arriving ${turn}`);
    // The work for one message is over long before.
    await delay(150);
    all.push((await busyMs(session)) - before);
  }
  return all;
}

/** Milliseconds of the main thread in the same time without a message. */
async function idle(page: Page): Promise<number[]> {
  return arriving(page, () => delay(5), false);
}

await bundlePage();
const server = await ServerProcess.start({ mainArgs: ['start', '--demo'], env: { LIMITS: 'off' } });
const line = await slowLine(server.port);
const browser = await startChromium();
try {
  heading(`The page: first load at ${roundTripMs} ms round trip`);
  const loads: Load[] = [];
  const url = `http://127.0.0.1:${(line.address() as AddressInfo).port}`;
  await load(browser, url);
  for (let run = 0; run < runs; run += 1) loads.push(await load(browser, url));
  const of = (name: keyof Load) => spread(loads.map((each) => each[name]));
  table(
    ['', 'min / median / max'],
    [
      ['first message after ms', of('firstMs')],
      ['requests until then', of('requests')],
      ['kB on the wire', of('kilobytes')],
      ['kB of JavaScript, gzip', of('scriptKilobytes')],
    ],
  );

  heading(`The page: ms of the main thread for an arriving message, ${inRoom} in the room`);
  const token = async (): Promise<string> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${server.url}/demo/token`, { method: 'POST', headers, body: '{"userId":2}' });
    return ((await answer.json()) as { token: string }).token;
  };
  const grace = connect({ url: server.url, token, user: { name: 'Grace' } });
  const room = grace.room(5);
  const fill = Array.from({ length: inRoom }, (_, index) => room.send(`message ${index} of many, of a usual length`));
  await Promise.all(fill);
  const page = await (await browser.newContext(DESKTOP)).newPage();
  await page.goto(`${server.url}/#/1/r-5`);
  await page.locator(SHOWN).first().waitFor();
  const send = (text: string) => room.send(text);
  const rows = [
    ['newest page only, nothing arrives', spread(await idle(page))],
    ['newest page only', spread(await arriving(page, send, false))],
  ];
  await readAll(page);
  rows.push(['all of them, nothing arrives', spread(await idle(page))]);
  rows.push(['all of them, at the end', spread(await arriving(page, send, false))]);
  rows.push(['all of them, scrolled up', spread(await arriving(page, send, true))]);
  table(['loaded', 'ms, min / median / max'], rows);
  grace.close();
} finally {
  await browser.close();
  line.close();
  await server.dispose();
}
process.exit(0);

/** Scrolls up until the first message of the room is loaded, then to the end. */
async function readAll(page: Page): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    const isAll = await page.evaluate(`(() => {
      const log = document.querySelector('#messages');
      log.scrollTop = 0;
      return Number(log.querySelector('[data-seq]')?.dataset.seq) <= 1;
    })()`);
    if (isAll) break;
    await delay(50);
  }
  await page.evaluate(
    "(() => { const log = document.querySelector('#messages'); log.scrollTop = log.scrollHeight; })()",
  );
}
