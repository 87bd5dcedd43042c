import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';
import { type Firefox, firefoxOrSkip } from '../../dev/services/firefox.ts';
import { bundlePage } from '../../scripts/page-bundle.ts';
import { FirefoxPage } from '../support/firefox-page.ts';

/** The text of the list of messages. */
const SHOWN = "document.getElementById('messages').innerText";

let server: ServerProcess;
let firefox: Firefox | undefined;

beforeAll(async () => {
  await bundlePage();
  server = await ServerProcess.start();
});
afterAll(async () => {
  await firefox?.close();
  await server.dispose();
});

it('lets a user of Firefox log in, read, send, reply, edit and delete', async (context) => {
  firefox = await firefoxOrSkip(context as TestContext);
  const ada = await FirefoxPage.open(firefox, server.url);
  await ada.click(await ada.find('link', 'Ada'));
  await ada.click(await ada.find('link', 'Grace'));
  const grace = await FirefoxPage.open(firefox, `${server.url}/#/2/r-5`);
  await grace.find('textbox', 'Message');

  await ada.click(await ada.find('textbox', 'Message'));
  await ada.type('Hello from Firefox 안녕');
  await grace.until(`${SHOWN}.includes('Hello from Firefox 안녕')`);

  await grace.hover(await grace.text('Hello from Firefox 안녕'));
  await grace.click(await grace.button('Reply'));
  await grace.type('Hello Ada');
  await ada.until("document.querySelector('blockquote')?.innerText.includes('Hello from Firefox')");

  await ada.hover(await ada.text('Hello from Firefox 안녕'));
  await ada.click(await ada.button('Edit'));
  await ada.find('textbox', 'New text');
  await ada.type(', edited');
  await grace.until(`/Hello from Firefox 안녕, edited/.test(${SHOWN})`);

  await ada.hover(await ada.text('Hello from Firefox 안녕, edited'));
  await ada.click(await ada.button('Delete'));
  await ada.button('Undo');
  await grace.until(`!/edited/.test(${SHOWN})`);
  expect(await grace.evaluate(`${SHOWN}.includes('Hello Ada')`)).toBe(true);
});
