import type { World } from '../state/demo-api.ts';
import { avatar } from '../support/avatar.ts';
import { el } from '../support/dom.ts';
import { en, ko } from '../words/dialogs.ts';
import { inLanguage } from '../words/index.ts';

/** The users of the demo to choose from. Without a list, the id of a user can be entered. */
export function picker({ users }: World, enter: (userId: number) => void): HTMLElement {
  const text = inLanguage({ en, ko }).picker;
  const list = el('ul', { id: 'users' });
  for (const { id, name, image } of users) {
    list.append(el('li', {}, el('a', { href: `#/${id}` }, avatar(id, name, image), el('span', {}, name))));
  }
  const canShowTwo = [1, 2].every((id) => users.some((user) => user.id === id));
  return el(
    'main',
    { id: 'picker' },
    el('h1', {}, text.title),
    el('p', {}, users.length === 0 ? text.nobody : text.about),
    users.length === 0 ? idForm(enter) : list,
    canShowTwo ? el('p', {}, el('a', { class: 'button', href: 'side-by-side.html' }, text.sideBySide)) : null,
  );
}

function idForm(enter: (userId: number) => void): HTMLElement {
  const text = inLanguage({ en, ko }).picker;
  const input = el('input', { id: 'user-id', type: 'number', min: 1, step: 1, required: true, inputmode: 'numeric' });
  const form = el(
    'form',
    { class: 'id-form' },
    el('label', { for: 'user-id' }, text.id),
    input,
    el('button', { class: 'primary', type: 'submit' }, text.enter),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    enter(input.valueAsNumber);
  });
  return form;
}
