import { expect, it } from 'vitest';
import { friend } from './friend.ts';
import type { PageStage } from './stage.ts';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;
const FOCUSED = 'document.activeElement?.tagName ?? "BODY"';
/** Presses of Tab that lead from the last place of the list to the text. */
const MAX_TAB_STOPS = 10;

/** Defects D15 to D18 and D28. */
export function accessSuite(stage: PageStage): void {
  it('breaks the line by Enter on a phone, and sends by the button', async () => {
    const ada = await stage.open('#/1/r-5', PHONE);
    await ada.text.fill('first line');
    await ada.text.press('Enter');
    await ada.text.pressSequentially('second line');
    await ada.page.getByRole('button', { name: /^Send/ }).tap();
    await ada.said('second line').waitFor();
    expect(await ada.said('second line').innerText()).toMatch(/first line\s*\n\s*second line/);
  });

  it('shows no row of buttons below each message on a phone, and its actions after a long press', async () => {
    const ada = await stage.open('#/1/r-5', PHONE);
    await ada.text.fill('press me long');
    await ada.page.getByRole('button', { name: /^Send/ }).tap();
    const message = ada.said('press me long');
    await message.waitFor();
    for (const button of await message.getByRole('button', { name: /^(Reply|Edit|Delete)/ }).all()) {
      expect(await button.isVisible()).toBe(false);
    }
    await ada.longPress(message);
    await ada.page.getByRole('button', { name: /^Edit/ }).last().waitFor();
  });

  it('has text fields of 16 px or more on a phone, so that the browser does not zoom in', async () => {
    const ada = await stage.open('#/1/r-5', PHONE);
    const size = await ada.page.evaluate('parseFloat(getComputedStyle(document.querySelector("textarea")).fontSize)');
    expect(size).toBeGreaterThanOrEqual(16);
  });

  it('tells in an open room on a phone that another room has unread messages', async () => {
    const ada = await stage.open('#/1/r-5', PHONE);
    await friend(stage.server, 3, 'Linus').room(6).send('news elsewhere');
    await ada.page
      .getByRole('link', { name: /Back.*\d+ unread/ })
      .or(ada.page.getByRole('button', { name: /Back.*\d+ unread/ }))
      .waitFor();
  });

  it('lets a user enter by their id where the server has no list of users', async () => {
    const chat = await stage.open('', {
      isOnline: false,
      before: ({ page }) =>
        page.route('**/demo/world', (route) => route.fulfill({ json: { users: [], rooms: [], communities: [] } })),
    });
    await chat.page.getByText('The server has no list of users.').waitFor();
    await chat.page.getByLabel('User id').fill('1');
    await chat.page.getByRole('button', { name: 'Enter' }).click();
    await chat.online();
    await chat.place('r-5').waitFor();
  });

  it('moves the focus to the conversation after a user was picked', async () => {
    const ada = await stage.open('', { isOnline: false });
    await ada.page
      .getByRole('link', { name: 'Ada' })
      .or(ada.page.getByRole('button', { name: 'Ada' }))
      .first()
      .press('Enter');
    await ada.online();
    expect(await ada.page.evaluate(FOCUSED)).not.toBe('BODY');
  });

  it('moves the focus on after the jump to new messages and after a deletion', async () => {
    const grace = friend(stage.server, 2, 'Grace').channel(1, 12);
    for (let line = 1; line <= 40; line += 1) await grace.send(`far line ${line}.`);
    const ada = await stage.open('#/1/c-12');
    await ada.said('far line 40.').waitFor();
    await ada.scrollUp();
    await grace.send('news below');
    await ada.toNewest().press('Enter');
    await ada.said('news below').waitFor();
    expect(await ada.page.evaluate(FOCUSED)).not.toBe('BODY');
    await ada.send('to be removed by keyboard');
    await ada.said('to be removed by keyboard').waitFor();
    await ada.act('to be removed by keyboard', 'Delete');
    expect(await ada.page.evaluate(FOCUSED)).not.toBe('BODY');
  });

  it('keeps the focus on "Try now" while the time to the next attempt runs, and does not speak the seconds', async () => {
    const { chat: ada, line } = await stage.withLine('#/1/r-5');
    await line.cut();
    const now = ada.page.getByRole('button', { name: 'Try now' });
    await now.waitFor();
    await now.focus();
    await ada.page.evaluate(`
      globalThis.kept = document.activeElement;
      globalThis.spoken = [];
      for (const region of document.querySelectorAll('[role=status], [aria-live=polite], [aria-live=assertive]')) {
        const note = () => spoken.push(region.textContent);
        new MutationObserver(note).observe(region, { childList: true, characterData: true, subtree: true });
      }`);
    // The countdown changes each second.
    await ada.page.waitForTimeout(2_200);
    expect(await ada.page.evaluate('kept.isConnected')).toBe(true);
    const spoken = (await ada.page.evaluate('[...new Set(spoken)]')) as string[];
    expect(spoken.filter((text) => /\d+ s\b/.test(text))).toEqual([]);
    line.mend();
    await ada.online();
  });

  it('has few tab stops between the list of rooms and the text, however many messages are shown', async () => {
    const grace = friend(stage.server, 2, 'Grace').channel(1, 12);
    for (let turn = 1; turn <= 30; turn += 1) await grace.send(`a stop ${turn}.`);
    const ada = await stage.open('#/1/c-12');
    await ada.said('a stop 30.').waitFor();
    await ada.place('c-31').focus();
    let stops = 0;
    while (stops <= MAX_TAB_STOPS && !(await ada.page.evaluate('document.activeElement.id === "text"'))) {
      await ada.page.keyboard.press('Tab');
      stops += 1;
    }
    expect(stops).toBeLessThanOrEqual(MAX_TAB_STOPS);
  });

  it('has one heading of the first level, and actions that name their message', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.send('the one that is named');
    await ada.said('the one that is named').waitFor();
    expect(await ada.page.getByRole('heading', { level: 1 }).count()).toBe(1);
    await ada.said('the one that is named').hover();
    const reply = ada.said('the one that is named').getByRole('button', { name: 'Reply' });
    const described = JSON.stringify(await reply.getAttribute('aria-describedby'));
    expect(await ada.page.evaluate(`document.getElementById(${described}).textContent`)).toBe('the one that is named');
  });

  it('speaks new messages, and not the older ones that are read on scrolling up', async () => {
    const grace = friend(stage.server, 2, 'Grace').channel(1, 12);
    for (let turn = 1; turn <= 70; turn += 1) await grace.send(`spoken ${turn}.`);
    const ada = await stage.open('#/1/c-12');
    await ada.said('spoken 70.').waitFor();
    await ada.scrollUp();
    await ada.until('document.querySelectorAll("#messages [data-id]").length > 50');
    await grace.send('spoken to all');
    const spoken = ada.page.locator('[aria-live=polite]').filter({ hasText: 'Grace: spoken to all' });
    await spoken.waitFor({ state: 'attached' });
    expect(await spoken.innerText()).not.toMatch(/spoken \d/);
    expect(await ada.log.getAttribute('aria-live')).toBeNull();
  });

  it('shows in forced colours who is online and who is not', async () => {
    const ada = await stage.open('#/1/c-11', { forcedColors: 'active' });
    const online = ada.members().getByRole('img', { name: 'online', exact: true }).first();
    const offline = ada.members().getByRole('img', { name: 'offline', exact: true }).first();
    await online.waitFor();
    expect((await online.screenshot()).equals(await offline.screenshot())).toBe(false);
  });
}
