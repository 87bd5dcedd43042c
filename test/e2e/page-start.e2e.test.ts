import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { axeFindings } from '../support/axe.ts';
import type { ChatPage } from '../support/chat-page.ts';
import { friend } from './page/friend.ts';
import { pageStage } from './page/stage.ts';

const PICTURE = new URL('../../docs/page.png', import.meta.url).pathname;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

const stage = pageStage({ mainArgs: ['start', '--demo'] });

/** The states of the page that a user meets, each with what leads to it. */
const STATES: readonly {
  readonly name: string;
  readonly path: string;
  readonly reach: (chat: ChatPage) => Promise<void>;
}[] = [
  { name: 'the choice of a user', path: '', reach: (chat) => chat.page.getByRole('heading', { level: 1 }).waitFor() },
  { name: 'the list of places', path: '#/1', reach: (chat) => chat.place('r-5').waitFor({ state: 'attached' }) },
  { name: 'a channel', path: '#/1/c-11', reach: (chat) => chat.said('Go!').waitFor() },
  {
    name: 'a forbidden channel',
    path: '#/3/c-12',
    reach: (chat) => chat.page.getByText('You cannot see this place.').waitFor(),
  },
  {
    name: 'an edit, with a draft of a reply',
    path: '#/1/r-5',
    reach: async (chat) => {
      await chat.said('Thank you :)').waitFor();
      await chat.act('Thank you :)', 'Reply');
      await chat.act('Please. The second button.', 'Edit');
    },
  },
  {
    name: 'the tray with a file, without a connection',
    path: '#/1/r-6',
    reach: async (chat) => {
      await chat.said('Wednesday it is.').waitFor();
      await chat.attach({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
      // The parts of the page that files need are loaded then.
      await chat.page.getByText('notes.txt').first().waitFor();
      await chat.page.context().setOffline(true);
      await chat.disconnected();
    },
  },
  {
    name: 'the inspector',
    path: '#/1/c-31',
    reach: async (chat) => {
      await chat.page.getByRole('button', { name: 'Inspector' }).click();
      await chat.page.getByRole('button', { name: 'Cut the line' }).waitFor();
    },
  },
];

it('prints where the page is, where the data are and what to try', async () => {
  const log = await stage.server.log();
  expect(log).toContain(`${stage.server.url}/side-by-side.html`);
  expect(log).toContain(stage.server.dataDir);
  expect(log).toContain('To try:');
});

it('shows two people side by side, who hear each other', async () => {
  const both = await stage.open('side-by-side.html', { isOnline: false });
  const [ada, grace] = [both.page.frameLocator('iframe[title=Ada]'), both.page.frameLocator('iframe[title=Grace]')];
  await ada.getByText('Thank you :)').first().waitFor();
  await grace.getByText('Thank you :)').first().waitFor();
  const text = ada.getByRole('textbox', { name: 'Message' });
  await text.fill('Hello, other pane');
  await text.press('Enter');
  await grace.locator('#messages').getByText('Hello, other pane').waitFor();
});

for (const { name, path, reach } of STATES) {
  it(`has no finding of axe on desktop and phone, in light and dark: ${name}`, async () => {
    const chat = await stage.open(path, { isOnline: false });
    await reach(chat);
    const findings: string[] = [];
    for (const viewport of [DESKTOP, PHONE]) {
      await chat.page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await chat.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await chat.settled();
        const found = await axeFindings(chat.page);
        findings.push(...found.map((finding) => `${viewport.width} ${colorScheme} ${finding}`));
      }
    }
    expect(findings).toEqual([]);
  });
}

it('takes the picture of the README with PICTURES=on, and otherwise finds one of its size', async () => {
  const [ada, linus] = [friend(stage.server, 1, 'Ada'), friend(stage.server, 3, 'Linus')];
  const margaret = await stage.open('#/4/c-11', { colorScheme: 'light' });
  await margaret.said('Go!').waitFor();
  const text = 'The map is live: **12 stations**, and `npm run check` is green.\n> One is on the island.';
  await linus.channel(1, 11).send(text);
  await ada.channel(1, 11).send('I will ride to that one.');
  ada.channel(1, 11).typing();
  await margaret.said('I will ride').waitFor();
  await margaret.page.getByText('Ada is typing').waitFor();
  await margaret.members().getByText('3 of 4 online').waitFor();
  await margaret.settled();
  const taken = await margaret.page.screenshot();
  if (process.env.PICTURES === 'on') await writeFile(PICTURE, taken);
  expect(pngSize(await readFile(PICTURE))).toEqual(pngSize(taken));
});

function pngSize(bytes: Buffer): { readonly width: number; readonly height: number } {
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}
