import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, type TestContext } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';
import { chromiumOrSkip } from '../../dev/services/chromium.ts';
import { bundlePage } from '../../scripts/page-bundle.ts';
import { ChatPage } from '../support/chat-page.ts';
import { png } from '../support/png.ts';

/** A client that missed more events than this gets a reset and reads the place again. */
const RESUMED = 5;
/**
 * Scrolls the messages up. The page learns of it by the scroll event. An update of the page that
 * comes before the event scrolls back to the end, so the script repeats until the position stays.
 */
const SCROLL_UP = `new Promise((resolve) => {
  const messages = document.getElementById('messages');
  const attempt = () => {
    messages.addEventListener('scroll', () => (messages.scrollTop < 150 ? resolve() : attempt()), { once: true });
    messages.scrollTop = 100;
  };
  attempt();
})`;

let server: ServerProcess;
let browser: Browser | undefined;

beforeAll(async () => {
  await bundlePage();
  server = await ServerProcess.start({ env: { LIMITS: 'off', LIMIT_RESUME_EVENTS: String(RESUMED) } });
});

beforeEach(async (context) => {
  browser ??= await chromiumOrSkip(context as TestContext);
});

afterAll(async () => {
  await browser?.close();
  await server.dispose();
});

/** Opens the page at a user and place, and closes it when the test is over. */
async function open(path: string): Promise<ChatPage> {
  if (browser === undefined) throw new Error('there is no browser');
  const chat = await ChatPage.open(browser, server.url, path);
  onTestFinished(async () => {
    await chat.close();
    expect(chat.faults).toEqual([]);
  });
  await chat.online();
  return chat;
}

/** The pages of Ada and Grace, both at the same place. */
async function both(place = 'r-5'): Promise<[ChatPage, ChatPage]> {
  return [await open(`#/1/${place}`), await open(`#/2/${place}`)];
}

it('restores the picked user and the open room from the address after a reload', async () => {
  if (browser === undefined) return;
  const chat = await ChatPage.open(browser, server.url, '');
  onTestFinished(() => chat.close());
  await chat.page.getByRole('link', { name: 'Grace', exact: true }).click();
  await chat.place('r-5').click();
  await chat.page.getByRole('heading', { name: 'Ada' }).waitFor();
  await chat.page.reload();
  await chat.page.getByRole('heading', { name: 'Ada' }).waitFor();
  await chat.online();
});

it('shows messages, typing, replies, edits and deletions of two users', async () => {
  const [ada, grace] = await both();
  await ada.send('Hello <b>Grace</b> 안녕하세요 👋');
  await grace.said('Hello <b>Grace</b> 안녕하세요 👋').waitFor();
  expect(await grace.page.locator('#list b').count()).toBe(0);

  await grace.act('Hello', 'Reply');
  await grace.text.pressSequentially('Hi');
  await ada.page.getByText('Grace is typing…').waitFor();
  await grace.text.press('Shift+Enter');
  await grace.text.pressSequentially('Ada');
  await grace.text.press('Enter');
  await ada.said('Hi\nAda').waitFor();
  expect(await ada.said('Ada').last().locator('blockquote').innerText()).toContain('Hello <b>Grace</b>');
  await ada.page.getByText('Grace is typing…').waitFor({ state: 'detached' });
  expect(await ada.said('Ada').last().getByRole('button', { name: 'Edit' }).count()).toBe(0);

  await ada.text.press('ArrowUp');
  await ada.editor.fill('Hello again');
  await ada.editor.press('Enter');
  await grace.said('Hello again (edited)').waitFor();
  await grace.page.locator('blockquote', { hasText: 'Hello again' }).waitFor();

  await ada.act('Hello again', 'Delete');
  await grace.said('Hello again').waitFor({ state: 'detached' });
  await grace.page.locator('blockquote', { hasText: 'The message was deleted.' }).waitFor();
});

it('ends a reply or an edit on Escape and restores the draft', async () => {
  const ada = await open('#/1/r-6');
  await ada.send('to be edited');
  await ada.said('to be edited').waitFor();
  await ada.text.fill('a draft');
  await ada.act('to be edited', 'Edit');
  expect(await ada.editor.inputValue()).toBe('to be edited');
  await ada.editor.press('Escape');
  expect(await ada.text.inputValue()).toBe('a draft');
  await ada.act('to be edited', 'Reply');
  await ada.page.getByText('Reply to Ada: to be edited').waitFor();
  await ada.text.press('Escape');
  await ada.page.getByText('Reply to Ada').waitFor({ state: 'hidden' });
});

it('shows a picture to the other user and offers other files as downloads', async () => {
  const [ada, grace] = await both();
  const files = ada.page.getByLabel('Attach files');
  await files.setInputFiles([
    { name: 'picture.png', mimeType: 'image/png', buffer: png(60, 40) },
    { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('some notes') },
  ]);
  await ada.page.getByRole('list', { name: 'Files to send' }).getByText('notes.txt').waitFor();
  await ada.text.press('Enter');
  const picture = grace.page.getByRole('img', { name: 'Image from Ada' }).last();
  await picture.waitFor();
  const widthOf = (image: unknown) => (image as { readonly naturalWidth: number }).naturalWidth;
  await expect.poll(() => picture.evaluate(widthOf), { timeout: 10_000 }).toBe(60);
  const link = grace.page.getByRole('link', { name: /^Download / });
  await link.waitFor();
  const href = (await link.getAttribute('href')) ?? '';
  expect(await (await fetch(href)).text()).toBe('some notes');
  await ada.page.locator('.pending').first().waitFor({ state: 'detached' });

  const dropped = "const t = new DataTransfer(); t.items.add(new File(['x'], 'dropped.txt')); t";
  const dataTransfer = await ada.page.evaluateHandle(dropped);
  await ada.page.dispatchEvent('#talk', 'drop', { dataTransfer });
  await ada.page.getByRole('list', { name: 'Files to send' }).getByText('dropped.txt').waitFor();
  await ada.text.press('Enter');
  await link.nth(1).waitFor();
});

it('shows which users are online and in voice', async () => {
  const [ada, grace] = await both('c-11');
  const person = ada.page.getByRole('complementary').getByRole('listitem').filter({ hasText: 'Grace' });
  await person.getByRole('img', { name: 'online' }).waitFor();

  await grace.page.getByRole('button', { name: 'Join voice in general' }).click();
  const inEleven = ada.page.getByRole('list', { name: 'In voice in general' });
  await inEleven.getByText('Grace').waitFor();
  const ken = await open('#/4/c-11');
  await ken.page.getByRole('list', { name: 'In voice in general' }).getByText('Grace').waitFor();

  await grace.page.getByRole('button', { name: 'Leave voice in general' }).click();
  await inEleven.waitFor({ state: 'detached' });
  await grace.page.goto('about:blank');
  await person.getByRole('img', { name: 'offline' }).waitFor();
});

it('counts messages of other places as unread until the place is opened', async () => {
  const [ada, grace] = await both();
  await grace.place('c-11').click();
  await grace.page.getByRole('heading', { name: 'general' }).waitFor();
  await ada.send('one');
  await ada.send('two');
  await grace.place('r-5').getByLabel('2 unread').waitFor();
  await grace.page.reload();
  await grace.place('r-5').getByLabel('2 unread').waitFor();
  await grace.place('r-5').click();
  await grace.said('two').first().waitFor();
  expect(await grace.page.getByLabel('2 unread').count()).toBe(0);
});

it('reads older messages on scrolling up and keeps the position of the reader', async () => {
  const ada = await open('#/1/c-21');
  const count = 110;
  for (let index = 1; index <= count; index += 1) await ada.send(`line ${index} of many`);
  await ada.said(`line ${count} of many`).waitFor();
  await ada.page.reload();
  await ada.said(`line ${count} of many`).waitFor();
  const atEnd = 'const m = document.getElementById("messages"); m.scrollHeight - m.scrollTop - m.clientHeight';
  expect(await ada.page.evaluate(atEnd)).toBeLessThan(2);
  expect(await ada.said('line 1 of many').count()).toBe(0);

  await ada.page.evaluate(SCROLL_UP);
  const seen = ada.said('line 70 of many');
  const before = await seen.boundingBox();
  await ada.said('line 60 of many').waitFor({ state: 'attached' });
  expect(await ada.said('line 110 of many').count()).toBe(1);
  // Scroll positions are whole pixels, rows are not.
  expect(Math.abs(((await seen.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(2);

  const list = ada.page.locator('#messages');
  await list.hover();
  for (let turn = 0; turn < 60 && (await ada.said('line 1 of many').count()) === 0; turn += 1) {
    await ada.page.mouse.wheel(0, -500);
  }
  await ada.said('line 1 of many').waitFor();
  await ada.page.getByText('This is the beginning.').waitFor();
  const texts = await ada.page.locator('.message .text').allInnerTexts();
  expect(texts).toEqual(Array.from({ length: count }, (_, index) => `line ${index + 1} of many`));

  const ken = await open('#/5/c-21');
  await ken.send('something new');
  await ada.page.getByRole('button', { name: '1 new message' }).click();
  await ada.said('something new').waitFor();
  expect(await ada.page.evaluate(atEnd)).toBeLessThan(2);
});

it('loses and repeats no message when the server is killed, and sends waiting messages when it is back', async () => {
  const [ada, grace] = await both('c-12');
  await ada.send('before the fall');
  await grace.said('before the fall').waitFor();
  await ada.page.getByRole('button', { name: 'Join voice in release' }).click();

  await server.kill();
  await grace.page.getByText('Not connected').waitFor();
  await ada.send('into the dark');
  await ada.send('and again');
  await grace.text.fill('half a thought');
  expect(await ada.page.locator('.pending').count()).toBe(2);
  await server.restart();

  for (const chat of [ada, grace]) {
    await chat.online();
    await chat.said('and again').waitFor();
    expect(await chat.page.locator('.message .text').allInnerTexts()).toEqual([
      'before the fall',
      'into the dark',
      'and again',
    ]);
  }
  expect(await grace.text.inputValue()).toBe('half a thought');
  await grace.page.getByRole('list', { name: 'In voice in release' }).getByText('Ada').waitFor();
  await grace.page.reload();
  await grace.said('and again').waitFor();
  expect(await grace.text.inputValue()).toBe('half a thought');
  await grace.page.getByText('Not connected').waitFor({ state: 'hidden' });
});

it('shows messages that were sent, edited and deleted while the connection was cut', async () => {
  const [ada, grace] = await both('r-5');
  for (const text of ['to stay', 'to change', 'to go']) await ada.send(text);
  const line = await grace.holdLine();
  await grace.page.reload();
  await grace.said('to go').waitFor();
  await grace.online();
  await line.cut();
  await grace.page.getByText('Not connected').waitFor();

  await ada.act('to change', 'Edit');
  await ada.editor.fill('changed');
  await ada.editor.press('Enter');
  await ada.act('to go', 'Delete');
  await ada.said('to go').waitFor({ state: 'detached' });
  await ada.send('quite new');
  await ada.said('quite new').waitFor();
  expect(await grace.said('quite new').count()).toBe(0);
  line.mend();

  await grace.said('quite new').waitFor();
  const texts = await grace.page.locator('.message .text').allInnerTexts();
  expect(texts.slice(-3)).toEqual(['to stay', 'changed (edited)', 'quite new']);
});

it('reads a place again when too many events were missed', async () => {
  const [ada, grace] = await both('c-11');
  const line = await grace.holdLine();
  await grace.page.reload();
  await grace.online();
  await line.cut();
  const texts = Array.from({ length: RESUMED + 2 }, (_, index) => `much ${index}`);
  for (const text of texts) await ada.send(text);
  await ada.said(`much ${RESUMED + 1}`).waitFor();
  line.mend();
  await grace.said(`much ${RESUMED + 1}`).waitFor();
  const shown = await grace.page.locator('.message .text', { hasText: 'much' }).allInnerTexts();
  expect(shown).toEqual(texts);
  await ada.send('and then');
  await grace.said('and then').waitFor();
});

it('tells a removed member and hides the room', async () => {
  const margaret = await open('#/4/r-7');
  const linus = await open('#/3/r-7');
  const body = JSON.stringify([2, 3]);
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${server.url}/chat-server/room-user-list/7`, { method: 'PUT', body, headers });
  expect(answer.status).toBe(200);
  await margaret.page.getByText('You are no longer a member of Grace, Linus.').waitFor();
  expect(await margaret.place('r-7').count()).toBe(0);
  expect(await margaret.text.isVisible()).toBe(false);
  await linus.send('still here');
  await linus.said('still here').waitFor();
});

it('sends a message again whose confirmation was lost, and shows it once', async () => {
  const [ada, grace] = await both('r-5');
  const line = await grace.holdLine();
  await grace.page.reload();
  await grace.online();
  line.deafen();
  await grace.send('did you get this?');
  await ada.said('did you get this?').waitFor();
  expect(await grace.page.locator('.pending').count()).toBe(1);
  await line.cut();
  line.mend();
  await grace.said('did you get this?').waitFor();
  await grace.send('and this?');
  await ada.said('and this?').waitFor();
  for (const chat of [ada, grace]) expect(await chat.said('did you get this?').count()).toBe(1);
  await grace.page.locator('.pending').first().waitFor({ state: 'detached' });
});

it('reconnects to a server that was stopped in order and started again', async () => {
  const [ada, grace] = await both();
  await server.stop();
  await ada.page.getByText('Not connected').waitFor();
  await server.restart();
  await ada.online();
  await grace.online();
  await grace.send('there you are');
  await ada.said('there you are').waitFor();
});

it('does not send a text that is too long, and offers it as a file', async () => {
  const [ada, grace] = await both();
  await ada.text.fill('x'.repeat(8_001));
  await ada.page.getByText('1 characters too many').waitFor();
  await ada.text.press('Enter');
  expect(await ada.text.inputValue()).toHaveLength(8_001);
  await ada.page.getByRole('button', { name: 'Send as a file' }).click();
  await ada.page.getByRole('list', { name: 'Files to send' }).getByText('message.txt').waitFor();
  await ada.text.press('Enter');
  await grace.page.getByRole('link', { name: 'Download message.txt' }).waitFor();
});

it('shows one column with a way back on a phone', async () => {
  if (browser === undefined) return;
  const chat = await ChatPage.open(browser, server.url, '#/1/r-5', { viewport: { width: 360, height: 700 } });
  onTestFinished(() => chat.close());
  await chat.text.waitFor();
  expect(await chat.place('r-5').isVisible()).toBe(false);
  expect(await chat.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  await chat.page.getByRole('link', { name: 'Back' }).click();
  await chat.place('r-5').waitFor();
  expect(await chat.text.isVisible()).toBe(false);
});
