import { Api, fetchWorld } from './api.js';
import { Chat } from './chat.js';
import { avatar, byId, el } from './dom.js';
import { Composer } from './view-composer.js';
import { MessagesView } from './view-messages.js';
import { showPeople } from './view-people.js';
import { showPlaces } from './view-places.js';
import { showLink, showNotice } from './view-status.js';

/** @typedef {import('./world.js').World} World */

const RETRY_MS = 2_000;
const picker = byId('picker', HTMLElement);
const users = byId('users', HTMLUListElement);
const app = byId('chat', HTMLElement);
const conversation = byId('conversation', HTMLElement);
const nothingOpen = byId('nothing-open', HTMLElement);

const composer = new Composer(() => messages.toEnd());
const messages = new MessagesView({
  onReply: (entry) => composer.reply(entry),
  onEdit: (entry) => composer.edit(entry),
  onDelete: (entry) => chat?.remove(entry),
});
/** @type {World | null} */
let world = null;
/** @type {Chat | null} */
let chat = null;
let isDue = false;

/**
 * Shows the user and place of the address, such as `#/1/r-5`. They are kept there so that a reload
 * and a link open the same view.
 */
function route() {
  if (world === null) return;
  const [, user = '', place = ''] = location.hash.split('/');
  const userId = Number(user);
  if (!world.users.some(({ id }) => id === userId)) {
    chat?.stop();
    chat = null;
    showPicker(world);
    return;
  }
  if (chat?.me.id !== userId) {
    chat?.stop();
    chat = new Chat(world, userId, new Api(userId), { onChange: showSoon, onNotice: showNotice });
    chat.show(place);
    chat.connect();
  }
  chat.show(place === '' ? null : place);
  show();
}

/** @param {World} known */
function showPicker({ users: all }) {
  document.title = 'Chat';
  app.hidden = true;
  picker.hidden = false;
  showLink({ kind: 'stopped' }, () => {});
  const items = all.map(({ id, name }) => el('li', {}, el('a', { href: `#/${id}` }, avatar(id, name), name)));
  users.replaceChildren(...items);
  if (all.length === 0) users.append(el('li', {}, 'This server has no demo users.'));
}

/** Renders once for all changes of the current task. */
function showSoon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    show();
  });
}

function show() {
  if (chat === null) return;
  const { open, me, presence, unread, link } = chat;
  picker.hidden = true;
  app.hidden = false;
  app.classList.toggle('has-open', open !== null);
  conversation.hidden = open === null;
  nothingOpen.hidden = open !== null;
  byId('back', HTMLAnchorElement).href = `#/${me.id}`;
  byId('talk-title', HTMLElement).textContent =
    open === null ? '' : `${open.kind === 'channel' ? '# ' : ''}${open.title}`;
  byId('talk-about', HTMLElement).textContent = open === null ? '' : `${open.members.length} members`;
  const typists = open === null ? [] : presence.typists(open.key);
  const verb = typists.length === 1 ? 'is' : 'are';
  byId('typing', HTMLElement).textContent = typists.length === 0 ? '' : `${typists.join(', ')} ${verb} typing…`;
  const count = [...unread.values()].reduce((sum, each) => sum + each, 0);
  document.title = `${count > 0 ? `(${count}) ` : ''}${open?.title ?? 'Chat'} – ${me.name}`;
  showLink(link, () => chat?.connect());
  showPlaces(chat);
  showPeople(chat);
  composer.show(chat);
  messages.show(chat);
}

async function start() {
  try {
    world = await fetchWorld();
  } catch {
    showLink({ kind: 'waiting', retryAt: performance.now() + RETRY_MS, reason: 'the server does not answer' }, start);
    setTimeout(() => world === null && start(), RETRY_MS);
    return;
  }
  showLink({ kind: 'stopped' }, () => {});
  route();
}

addEventListener('hashchange', route);
addEventListener('online', () => chat?.connect());
addEventListener('pageshow', () => chat?.connect());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) chat?.connect();
});
start();
