import { bar, figure } from './chart.js';
import { el } from './dom.js';
import { number } from './format.js';
import { lookUpForm, Panel, placeLink, userLink } from './panel.js';
import { Table } from './table.js';

/** @typedef {import('./api.js').BusyPlace} BusyPlace */
/** @typedef {import('./panel.js').Context} Context */

/** Users that are shown of a list. */
const MAX_SHOWN = 200;

/**
 * The busiest places, and who is in one of them.
 * @param {Context} context
 * @param {string} place empty for none
 * @returns {import('./panel.js').View}
 */
export function placesView(context, place) {
  const busiest = busiestPanel(context, null);
  const inside = place === '' ? null : insidePanel(context, place);
  const input = el('input', {
    id: 'place',
    required: true,
    pattern: '(r|c|com)-[0-9]+',
    placeholder: 'r-5',
    value: place,
    autocomplete: 'off',
  });
  const form = lookUpForm('Place, such as r-5, c-11 or com-1', input, 'places');
  return {
    element: el('div', {}, form, inside?.element, busiest.element),
    every: 2_000,
    refresh: async () => void (await Promise.all([busiest.refresh(), inside?.refresh()])),
  };
}

/**
 * The places with the most deliveries.
 * @param {Context} context
 * @param {number | null} size how many; null for the default
 */
export function busiestPanel({ api }, size) {
  let most = 1;
  const table = new Table({
    caption: 'Busiest places',
    empty: 'Nothing was delivered in the last seconds.',
    keyOf: (/** @type {BusyPlace} */ { place }) => place,
    columns: [
      { title: 'Place', isKey: true, value: ({ place }) => place, draw: ({ place }) => placeLink(place) },
      {
        title: 'Deliveries/s',
        kind: 'number',
        value: ({ deliveriesPerSecond }) => `${deliveriesPerSecond} ${most}`,
        draw: ({ deliveriesPerSecond }) =>
          el('span', { class: 'with-bar' }, bar(deliveriesPerSecond / most), figure(number(deliveriesPerSecond))),
      },
      { title: 'Events/s', kind: 'number', value: ({ eventsPerSecond }) => number(eventsPerSecond) },
      { title: 'Subscriptions', kind: 'number', value: ({ subscriptions }) => number(subscriptions) },
    ],
  });
  /** @type {Panel<{ places: BusyPlace[] }>} */
  const panel = new Panel(
    {
      api,
      title: 'Busiest places',
      hint: size === null ? 'In the last 5 to 10 seconds. Servers count only while somebody looks.' : '',
      path: () => `busiest-places${size === null ? '' : `?size=${size}`}`,
    },
    table.element,
  );
  return {
    element: panel.element,
    async refresh() {
      const { places } = await panel.read();
      most = Math.max(1, ...places.map(({ deliveriesPerSecond }) => deliveriesPerSecond));
      table.show(places);
    },
  };
}

/** @param {Context} context @param {string} place */
function insidePanel({ api }, place) {
  const subscribed = el('dd', { class: 'users' });
  const looking = el('dd', { class: 'users' });
  /**
   * @type {Panel<{ subscribed: number[], looking: number[], leftOut: number,
   * missing: string[] }>}
   */
  const panel = new Panel(
    { api, title: `Who is in ${place}`, path: () => `places/${encodeURIComponent(place)}/presence` },
    el('dl', { class: 'facts' }, el('dt', {}, 'Subscribed'), subscribed, el('dt', {}, 'Looking at it'), looking),
    el('p', { class: 'buttons' }, el('a', { class: 'button', href: `#trace/${place}` }, 'Trace')),
  );
  return {
    element: panel.element,
    async refresh() {
      const { leftOut, missing, ...lists } = await panel.read();
      if (leftOut > 0 && missing.length === 0) panel.note(`${number(leftOut)} more users are not listed.`);
      showUsers(subscribed, lists.subscribed);
      showUsers(looking, lists.looking);
    },
  };
}

/** @param {HTMLElement} parent @param {readonly number[]} users */
function showUsers(parent, users) {
  const key = users.join();
  if (parent.dataset.users === key) return;
  parent.dataset.users = key;
  const more = users.length - MAX_SHOWN;
  parent.replaceChildren(
    ...(users.length === 0 ? ['nobody'] : users.slice(0, MAX_SHOWN).map(userLink)),
    more > 0 ? `and ${number(more)} more` : '',
  );
}
