import { expect, it } from 'vitest';
import { friend } from './friend.ts';
import type { PageStage } from './stage.ts';

/** Defects D6, D7 and D22. */
export function editingSuite(stage: PageStage): void {
  it('keeps the text of an edit whose message was deleted elsewhere', async () => {
    const ada = await stage.open('#/1/r-5');
    const elsewhere = friend(stage.server, 1, 'Ada').room(5);
    const { id } = await elsewhere.send('to be deleted elsewhere');
    await ada.act('to be deleted elsewhere', 'Edit');
    await ada.editor.fill('a text that took long');
    await elsewhere.remove(id);
    await ada.holds('a text that took long');
    await ada.text.fill('');
  });

  it('keeps the text of an edit while another room is looked at', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.send('edited in two steps');
    await ada.said('edited in two steps').waitFor();
    await ada.act('edited in two steps', 'Edit');
    await ada.editor.fill('half of an edit');
    await ada.place('c-11').click();
    await ada.title('general').waitFor();
    await ada.place('r-5').click();
    await ada.holds('half of an edit');
  });

  it('keeps the message to answer while another room is looked at', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.send('to be answered in two steps');
    await ada.said('to be answered in two steps').waitFor();
    await ada.act('to be answered in two steps', 'Reply');
    await ada.text.fill('half of an answer');
    await ada.place('c-11').click();
    await ada.title('general').waitFor();
    await ada.place('r-5').click();
    await ada.holds('half of an answer');
    await ada.page.getByText('Reply to Ada: to be answered in two steps').waitFor();
  });

  it('shows an edit and a deletion at once while there is no connection', async () => {
    const { chat: ada, line } = await stage.withLine('#/1/r-5');
    await ada.page.clock.install();
    for (const text of ['changed offline', 'deleted offline']) await ada.send(text);
    await ada.said('deleted offline').waitFor();
    await line.cut();
    await ada.disconnected();
    await ada.act('changed offline', 'Edit');
    await ada.editor.fill('changed offline, twice');
    await ada.editor.press('Enter');
    await ada.log.getByText('changed offline, twice').waitFor();
    await ada.act('deleted offline', 'Delete');
    // The time in which it can be undone.
    await ada.page.clock.fastForward(6_000);
    line.mend();
    await ada.online();
    await ada.said('changed offline, twice').waitFor();
    await ada.said('deleted offline').waitFor({ state: 'detached' });
  });

  it('says while a message is edited that somebody changed it elsewhere', async () => {
    const ada = await stage.open('#/1/r-5');
    const elsewhere = friend(stage.server, 1, 'Ada').room(5);
    const { id } = await elsewhere.send('edited twice');
    await ada.act('edited twice', 'Edit');
    await ada.editor.fill('from this tab');
    await elsewhere.edit(id, 'edited from the phone');
    await ada.page.getByText(/changed elsewhere/).waitFor();
  });

  it('does not delete a message by a double click on Delete', async () => {
    const ada = await stage.open('#/1/r-5');
    await ada.send('not by a double click');
    await ada.said('not by a double click').waitFor();
    const message = ada.said('not by a double click');
    await message.hover();
    await message.getByRole('button', { name: /^Delete/ }).dblclick();
    await friend(stage.server, 2, 'Grace').room(5).send('after the double click');
    await ada.said('after the double click').waitFor();
    await ada.undo().click();
    await ada.said('not by a double click').waitFor();
  });

  it('sends a pasted text of 12,000 characters as a whole or says that it is too long', async () => {
    const ada = await stage.open('#/1/r-5');
    const long = 'x'.repeat(12_000);
    await ada.paste({ text: long });
    await ada.page
      .getByText(/4,?000 characters too many/)
      .first()
      .waitFor();
    expect((await ada.text.inputValue()).length).toBe(12_000);
    await ada.text.fill('');
  });
}
