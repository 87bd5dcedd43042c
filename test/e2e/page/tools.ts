import { expect, it } from 'vitest';
import type { ChatPage } from '../../support/chat-page.ts';
import { friend } from './friend.ts';
import type { PageStage } from './stage.ts';

async function inspected(stage: PageStage): Promise<ChatPage> {
  const ada = await stage.open('#/1/r-5');
  await ada.page.getByRole('button', { name: 'Inspector' }).click();
  await ada.page.getByRole('button', { name: 'Cut the line' }).waitFor();
  return ada;
}

const rowsWith = (chat: ChatPage, text: string | RegExp) => chat.page.getByRole('row').filter({ hasText: text });

/** The inspector, the switcher, the keys and the languages. */
export function toolSuite(stage: PageStage): void {
  it('loads the inspector only when it is opened', async () => {
    const scripts: string[] = [];
    const ada = await stage.open('#/1/r-5', {
      before: async (chat) => {
        chat.page.on('request', (request) => {
          if (request.resourceType() === 'script') scripts.push(request.url());
        });
      },
    });
    const before = scripts.length;
    await ada.page.getByRole('button', { name: 'Inspector' }).click();
    await ada.page.getByRole('button', { name: 'Cut the line' }).waitFor();
    expect(scripts.length).toBeGreaterThan(before);
  });

  it('shows in the inspector the number, the nonce and the receipt of a message', async () => {
    const ada = await inspected(stage);
    await ada.send('look at me');
    await ada.said('look at me').waitFor();
    const seq = await ada.said('look at me').getAttribute('data-seq');
    await rowsWith(ada, `stored as ${seq} in`).waitFor();
    const nonce = (await rowsWith(ada, `stored as ${seq} in`).getByRole('cell').nth(5).innerText()).trim();
    expect(nonce).toMatch(/^[0-9a-f]{8}$/);
    await rowsWith(ada, 'own message').filter({ hasText: nonce }).waitFor();
  });

  it('cuts the line, and shows after mending it what was missed and caught up', async () => {
    const ada = await inspected(stage);
    await ada.page.getByRole('button', { name: 'Cut the line' }).click();
    await ada.disconnected();
    await ada.send('from behind the cut');
    const grace = friend(stage.server, 2, 'Grace').room(5);
    for (const text of ['missed one', 'missed two']) await grace.send(text);
    await ada.page.getByRole('button', { name: 'Mend the line' }).click();
    await ada.said('missed two').waitFor();
    await ada.said('from behind the cut').waitFor();
    await rowsWith(ada, /missed [23], caught up in \d+ ms/).waitFor();
  });

  it('shows in the inspector that a message is sent again with its nonce after its answer was lost', async () => {
    const ada = await inspected(stage);
    await ada.page.getByRole('button', { name: 'Lose the answers' }).click();
    await ada.send('did it arrive?');
    await rowsWith(ada, 'lost on the way').first().waitFor();
    await ada.page.getByRole('button', { name: 'Hear again' }).click();
    await rowsWith(ada, 'attempt 2 with this nonce')
      .or(rowsWith(ada, /stored as \d+ in/))
      .first()
      .waitFor();
    await ada.said('did it arrive?').waitFor();
    expect(await ada.said('did it arrive?').count()).toBe(1);
  });

  it('shows in the inspector the frames of one place only', async () => {
    const ada = await inspected(stage);
    await ada.place('c-11').click();
    await ada.title('general').waitFor();
    await ada.send('in the channel');
    await ada.said('in the channel').waitFor();
    await ada.page.getByRole('combobox', { name: 'Place' }).selectOption('c-11');
    await rowsWith(ada, 'r-5').first().waitFor({ state: 'detached' });
    expect(await rowsWith(ada, 'c-11').count()).toBeGreaterThan(0);
  });

  it('jumps to a place by Ctrl+K, a few letters and Enter', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.text.press('Control+k');
    await ada.page.getByRole('combobox', { name: 'Find a place' }).fill('ㅇㅂ');
    await ada.page.getByRole('option', { name: /일반/ }).waitFor();
    await ada.page.keyboard.press('Enter');
    await ada.title('일반').waitFor();
  });

  it('lists its keys by a question mark, and moves by them between places and parts of the page', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.place('c-11').press('?');
    await ada.page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByText('find a place').waitFor();
    await ada.page.keyboard.press('Escape');
    await ada.page.getByRole('dialog').waitFor({ state: 'detached' });
    await ada.page.keyboard.press('Alt+ArrowDown');
    await ada.title('Linus').waitFor();
    await ada.page.keyboard.press('Alt+ArrowUp');
    await ada.title('Grace').waitFor();
    await ada.send('to move to');
    await ada.said('to move to').waitFor();
    for (const part of ['#places', '#messages', '#composer']) {
      await ada.page.keyboard.press('F6');
      await ada.until(`document.activeElement.closest('${part}') !== null`);
    }
    // Nobody writes in this channel, so there are no messages to go to.
    const ken = await stage.open('#/5/c-21');
    for (const part of ['#places', '#composer']) {
      await ken.page.keyboard.press('F6');
      await ken.until(`document.activeElement.closest('${part}') !== null`);
    }
  });

  it('speaks Korean to a browser that does, and English after the user chose it', async () => {
    const ada = await stage.open('#/1/r-5', { locale: 'ko-KR', isOnline: false });
    await ada.page.getByRole('textbox', { name: '메시지', exact: true }).waitFor();
    expect(await ada.page.evaluate('document.documentElement.lang')).toBe('ko');
    await ada.page.getByRole('button', { name: '설정' }).click();
    await ada.page.getByRole('combobox', { name: '언어' }).selectOption('en');
    await ada.text.waitFor();
  });
}
