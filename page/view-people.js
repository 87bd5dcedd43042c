import { avatar, byId, dot, el } from './dom.js';
import { nameOf } from './world.js';

const aside = byId('people', HTMLElement);
const toggle = byId('show-people', HTMLButtonElement);
let shown = '';

toggle.addEventListener('click', () => setShown(!aside.classList.contains('shown')));
document.addEventListener('keydown', ({ key }) => key === 'Escape' && setShown(false));
document.addEventListener('click', ({ target }) => {
  if (target instanceof Node && !aside.contains(target) && target !== toggle) setShown(false);
});

/**
 * Shows or hides the members. On a narrow screen they cover the second column.
 * @param {boolean} isShown
 */
function setShown(isShown) {
  aside.classList.toggle('shown', isShown);
  toggle.setAttribute('aria-expanded', String(isShown));
}

/**
 * Shows the members of the open place, online members first.
 * @param {import('./chat.js').Chat} chat
 */
export function showPeople({ world, open, presence, me, link }) {
  const isOnline = (/** @type {number} */ user) =>
    user === me.id ? link.kind === 'online' : presence.online.has(user);
  const people = (open?.members ?? []).map((id) => ({ id, name: nameOf(world, id), isOnline: isOnline(id) }));
  people.sort((a, b) => Number(b.isOnline) - Number(a.isOnline) || a.name.localeCompare(b.name));
  const state = JSON.stringify(people);
  if (state === shown) return;
  shown = state;
  const count = people.filter((person) => person.isOnline).length;
  aside.hidden = people.length === 0;
  aside.replaceChildren(
    el('h3', {}, `Members: ${count} of ${people.length} online`),
    el(
      'ul',
      {},
      ...people.map(({ id, name, isOnline: on }) =>
        el(
          'li',
          { class: on ? '' : 'away' },
          avatar(id, name),
          el('span', { class: 'title' }, id === me.id ? `${name} (you)` : name),
          dot(on),
        ),
      ),
    ),
  );
}
