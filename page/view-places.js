import { avatar, byId, dot, el } from './dom.js';
import { nameOf } from './world.js';

/** @typedef {import('./chat.js').Chat} Chat */
/** @typedef {import('./world.js').Place} Place */

const nav = byId('places', HTMLElement);
let shown = '';

/**
 * Shows the user, their rooms and channels with unread counts, and the users in voice.
 * @param {Chat} chat
 */
export function showPlaces(chat) {
  const { places, open, unread, presence, voice, me, link } = chat;
  // Rebuild only after a change, because a button must not vanish while the user presses it.
  const state = JSON.stringify([
    places,
    open?.key,
    voice?.key,
    me,
    link.kind,
    [...unread],
    [...presence.online].sort(),
    [...presence.voice],
  ]);
  if (state === shown) return;
  shown = state;
  const focused = nav.contains(document.activeElement) ? document.activeElement?.id : undefined;
  nav.replaceChildren(
    el(
      'div',
      { class: 'me' },
      avatar(me.id, me.name),
      el('strong', {}, me.name),
      dot(link.kind === 'online'),
      el('a', { id: 'switch', href: '#' }, 'Switch user'),
    ),
    section('Direct messages', places.rooms, (room) => roomRow(chat, room)),
    ...places.communities.map(({ title, channels }) => section(title, channels, (place) => channelRow(chat, place))),
  );
  if (focused) document.getElementById(focused)?.focus();
}

/** @param {string} title @param {Place[]} places @param {(place: Place) => HTMLElement} row */
function section(title, places, row) {
  if (places.length === 0) return '';
  return el('section', {}, el('h3', {}, title), el('ul', {}, ...places.map(row)));
}

/** @param {Chat} chat @param {Place} room */
function roomRow(chat, room) {
  const isOnline = room.members.some((member) => member !== chat.me.id && chat.presence.online.has(member));
  return el('li', {}, placeLink(chat, room, dot(isOnline), room.title));
}

/** @param {Chat} chat @param {Place} channel */
function channelRow(chat, channel) {
  const users = chat.presence.voice.get(channel.id) ?? [];
  const isIn = chat.voice?.key === channel.key;
  const names = users.map((user) => el('li', {}, avatar(user, nameOf(chat.world, user)), nameOf(chat.world, user)));
  const label = `${isIn ? 'Leave' : 'Join'} voice in ${channel.title}`;
  const onclick = () => (isIn ? chat.leaveVoice() : chat.enterVoice(channel));
  const id = `voice-${channel.key}`;
  return el(
    'li',
    {},
    el(
      'div',
      { class: 'row' },
      placeLink(chat, channel, el('span', { class: 'hash', 'aria-hidden': 'true' }, '#'), channel.title),
      el(
        'button',
        { id, type: 'button', class: isIn ? 'voice in' : 'voice', 'aria-label': label, title: label, onclick },
        isIn ? 'Leave' : 'Voice',
      ),
    ),
    names.length > 0 && el('ul', { class: 'in-voice', 'aria-label': `In voice in ${channel.title}` }, ...names),
  );
}

/** @param {Chat} chat @param {Place} place @param {HTMLElement} sign @param {string} title */
function placeLink(chat, place, sign, title) {
  const count = chat.unread.get(place.key) ?? 0;
  const isOpen = chat.open?.key === place.key;
  return el(
    'a',
    {
      id: `place-${place.key}`,
      class: `place${isOpen ? ' open' : ''}${count > 0 ? ' unread' : ''}`,
      href: `#/${chat.me.id}/${place.key}`,
      'aria-current': isOpen ? 'page' : null,
    },
    sign,
    el('span', { class: 'title' }, title),
    place.kind === 'channel' && place.isPrivate && el('span', { class: 'note' }, 'private'),
    count > 0 && el('span', { class: 'badge', 'aria-label': `${count} unread` }, count > 99 ? '99+' : String(count)),
  );
}
