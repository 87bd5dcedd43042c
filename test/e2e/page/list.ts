import { expect, it } from 'vitest';
import { png } from '../../support/png.ts';
import { friend } from './friend.ts';
import type { PageStage } from './stage.ts';

/** The part of a browser's window that is used. */
interface StyleSource {
  getComputedStyle(element: object): { readonly direction: string; readonly fontSize: string };
}

/** Defects D2 to D5, D12, D21 and D27. */
export function listSuite(stage: PageStage): void {
  it('stays at the newest message while a text of eight lines is written', async () => {
    const grace = friend(stage.server, 2, 'Grace').room(5);
    for (let line = 1; line <= 40; line += 1) await grace.send(`line ${line} of the talk`);
    const ada = await stage.open('#/1/r-5');
    await ada.said('line 40 of the talk').waitFor();
    await ada.text.pressSequentially('a');
    for (let line = 2; line <= 8; line += 1) await ada.text.press('Shift+Enter');
    await ada.said('line 40 of the talk').waitFor();
    expect(await ada.isInView(ada.said('line 40 of the talk'))).toBe(true);
    await grace.send('said meanwhile');
    await ada.said('said meanwhile').waitFor();
    expect(await ada.isInView(ada.said('said meanwhile'))).toBe(true);
    expect(await ada.page.getByRole('button', { name: /new messages?$/ }).count()).toBe(0);
  });

  it('opens a room that was pressed while the list of rooms changed', async () => {
    const ada = await stage.open('#/1/r-5');
    const box = await ada.place('c-11').boundingBox();
    if (box === null) throw new Error('the channel is not visible');
    await ada.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await ada.page.mouse.down();
    await friend(stage.server, 3, 'Linus').room(6).send('news while the button is down');
    await ada.unread('r-6').waitFor();
    await ada.page.mouse.up();
    await ada.title('general').waitFor();
  });

  it('keeps the line that is read in its place while pictures above it load', async () => {
    const grace = friend(stage.server, 2, 'Grace').channel(1, 12);
    for (let picture = 1; picture <= 4; picture += 1) {
      await grace.share(new File([png(300, 600)], `tall-${picture}.png`, { type: 'image/png' }), {
        width: 300,
        height: 600,
      });
    }
    for (let line = 1; line <= 40; line += 1) await grace.send(`read line ${line}.`);
    let load = () => {};
    const loaded = new Promise<void>((resolve) => {
      load = resolve;
    });
    const ada = await stage.open('#/1/c-12', {
      before: (chat) =>
        chat.page.route(/\/chat-server\/files\//, async (route) => {
          await loaded;
          await route.continue();
        }),
    });
    const line = ada.said('read line 3.');
    await line.waitFor();
    await line.scrollIntoViewIfNeeded();
    await ada.settled();
    const before = await line.boundingBox();
    load();
    await ada.until('[...document.images].filter((image) => image.complete && image.naturalHeight === 600).length > 0');
    await ada.settled();
    expect(Math.abs(((await line.boundingBox())?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(3);
  });

  it('shows a message that waits under the name of its author', async () => {
    const { chat: ada, line } = await stage.withLine('#/1/r-5');
    await friend(stage.server, 2, 'Grace').room(5).send('the last word of Grace');
    await ada.said('the last word of Grace').waitFor();
    await line.cut();
    await ada.send('written without a line');
    const pending = ada.pending().filter({ hasText: 'written without a line' });
    await pending.waitFor();
    expect(await pending.innerText()).toMatch(/^\s*(A\s+)?Ada\b/);
    line.mend();
    await ada.said('written without a line').waitFor();
  });

  it('takes the count of unread messages away in all tabs of a user once one has read them', async () => {
    const first = await stage.open('#/1/c-11');
    const second = await stage.open('#/1/c-12', { beside: first });
    await friend(stage.server, 3, 'Linus').room(6).send('to be read once');
    for (const tab of [first, second]) await tab.unread('r-6').waitFor();
    await first.place('r-6').click();
    await first.said('to be read once').waitFor();
    await second.unread('r-6').waitFor({ state: 'hidden' });
  });

  it('counts a message of the open room in the title while the tab is hidden', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.hide();
    await friend(stage.server, 2, 'Grace').room(5).send('while you were away');
    await ada.until('/^\\(\\d+\\)/.test(document.title)');
  });

  it('does not call messages unread after the server was killed that the user had read before', async () => {
    const ada = await stage.open('#/1/r-5');
    await friend(stage.server, 2, 'Grace').room(5).send('read before the fall');
    await ada.said('read before the fall').waitFor();
    await ada.page.waitForLoadState('networkidle');
    await stage.server.kill();
    await stage.server.restart();
    await ada.online();
    await ada.place('c-11').click();
    await ada.title('general').waitFor();
    await ada.page.waitForLoadState('networkidle');
    expect(await ada.unread('r-5').isVisible()).toBe(false);
  });

  it('copies of the conversation what was said, and not the names of buttons', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.send('copy me');
    await ada.said('copy me').waitFor();
    await ada.text.blur();
    await ada.page.evaluate("getSelection().selectAllChildren(document.querySelector('#messages'))");
    const copied = String(await ada.page.evaluate('getSelection().toString()'));
    expect(copied).toContain('copy me');
    expect(copied).not.toMatch(/Reply|Edit|Delete/);
  });

  it('writes each message in the direction of its own script', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.send('مرحبا، هذا سطر عربي.');
    const text = ada.said('مرحبا').getByText('مرحبا');
    await text.waitFor();
    const direction = (element: object) => (globalThis as unknown as StyleSource).getComputedStyle(element).direction;
    expect(await text.evaluate(direction)).toBe('rtl');
  });

  it('says in its own language that the message of a quote was deleted', async () => {
    const ada = await stage.open('#/1/r-5');
    const grace = friend(stage.server, 2, 'Grace').room(5);
    const parent = await grace.send('soon gone');
    await grace.reply(parent.id, 'an answer to it');
    await grace.remove(parent.id);
    await ada.said('an answer to it').waitFor();
    await ada.until("!document.querySelector('#messages').innerText.includes('soon gone')");
    expect(await ada.said('an answer to it').innerText()).toMatch(/deleted/i);
    expect(await ada.said('an answer to it').innerText()).not.toMatch(/\p{Script=Hangul}/u);
  });
}
