import { el } from './dom.js';
import { bytes, clock, number, since } from './format.js';
import { ban, disconnect, mute, unban, unmute } from './orders.js';
import { lookUpForm, Panel, placeLink } from './panel.js';
import { Table } from './table.js';

/** @typedef {import('./api.js').Session} Session */

/** Places that are shown of a session. */
const MAX_SHOWN = 30;

/**
 * The sessions of one user, and what the user may not do.
 * @param {import('./panel.js').Context} context
 * @param {string} id of the user; empty for none
 * @returns {import('./panel.js').View}
 */
export function usersView(context, id) {
  const input = el('input', {
    id: 'user',
    required: true,
    inputmode: 'numeric',
    pattern: '[1-9][0-9]*',
    placeholder: '42',
    value: id,
    autocomplete: 'off',
  });
  const form = lookUpForm('User id', input, 'users');
  const userId = /^[1-9]\d*$/.test(id) ? Number(id) : null;
  if (userId === null) {
    const empty = el('p', { class: 'empty' }, 'Give the id of a user to see their sessions on all servers.');
    return { element: el('div', {}, form, empty), every: 60_000, refresh: async () => input.focus() };
  }
  const shown = userPanel(context, userId);
  return { element: el('div', {}, form, shown.element), every: 2_000, refresh: shown.refresh };
}

/** @param {import('./panel.js').Context} context @param {number} userId */
function userPanel(context, userId) {
  const { api, mayAct } = context;
  const table = new Table({
    caption: `Sessions of user ${userId}`,
    empty: 'The user has no session on any server: the client does not connect, or the user is banned.',
    keyOf: (/** @type {Session} */ { server, since, address }) => `${server} ${since} ${address}`,
    columns: [
      { title: 'Server', isKey: true, value: ({ server }) => server },
      { title: 'Connected for', value: (session) => since(session.since) },
      { title: 'Address', value: ({ address }) => address },
      { title: 'Transport', value: ({ transport }) => transport },
      { title: 'Waiting', kind: 'number', value: ({ waitingBytes }) => bytes(waitingBytes) },
      { title: 'Subscriptions', kind: 'number', value: ({ subscriptions }) => number(subscriptions) },
      {
        title: 'Places',
        value: ({ places }) => places.join(' '),
        draw: ({ places }) => {
          const more = places.length - MAX_SHOWN;
          const links = places.slice(0, MAX_SHOWN).map(placeLink);
          return el('span', { class: 'places' }, ...links, more > 0 ? `and ${more} more` : null);
        },
      },
    ],
  });
  const orders = el('ul', { class: 'orders', 'aria-label': `Orders about user ${userId}` });
  /** @param {string} text @param {() => void} run */
  const action = (text, run) => el('button', { type: 'button', onclick: run }, text);
  const actions = el(
    'p',
    { class: 'buttons' },
    el('a', { class: 'button', href: `#trace/${userId}` }, 'Trace'),
    mayAct && action('Disconnect', () => disconnect(context, userId)),
    mayAct && action('Mute', () => mute(context, userId)),
    mayAct && action('Ban', () => ban(context, userId)),
  );
  /** @type {Panel<{ sessions: Session[] }>} */
  const panel = new Panel(
    { api, title: `Sessions of user ${userId}`, path: () => `users/${userId}/sessions` },
    orders,
    table.element,
    actions,
  );
  let shownOrders = '';
  return {
    element: panel.element,
    async refresh() {
      const [{ sessions }, bans, mutes] = await Promise.all([
        panel.read(),
        /** @type {Promise<import('./api.js').Ban[]>} */ (api.call('GET', 'bans')),
        /** @type {Promise<import('./api.js').Mute[]>} */ (api.call('GET', 'mutes')),
      ]);
      table.show(sessions);
      const own = {
        bans: bans.filter((ban) => ban.userId === userId),
        mutes: mutes.filter((mute) => mute.userId === userId),
      };
      if (JSON.stringify(own) === shownOrders) return;
      shownOrders = JSON.stringify(own);
      orders.replaceChildren(
        ...own.bans.map(({ until, reason, admin }) =>
          el(
            'li',
            {},
            `Banned by ${admin}, ${untilText(until)}${reason === null ? '' : `: ${reason}`} `,
            mayAct && action('Unban', () => unban(context, userId)),
          ),
        ),
        ...own.mutes.map(({ place, until, admin }) =>
          el(
            'li',
            {},
            `Muted ${place === null ? 'everywhere' : `in ${place}`} by ${admin}, ${untilText(until)} `,
            mayAct && action('Unmute', () => unmute(context, userId, place)),
          ),
        ),
      );
    },
  };
}

/** @param {string | null} until */
function untilText(until) {
  return until === null ? 'without end' : `until ${clock(until)} UTC`;
}
