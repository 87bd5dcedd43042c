import { el } from './dom.js';
import { clock } from './format.js';
import { slowDown, unban, unmute } from './orders.js';
import { Panel, placeLink, rowButton, userLink } from './panel.js';
import { Table } from './table.js';

/** @typedef {import('./api.js').Ban} Ban */
/** @typedef {import('./api.js').Mute} Mute */
/** @typedef {import('./api.js').SlowMode} SlowMode */

/** @param {{ until: string | null }} order */
const untilText = ({ until }) => (until === null ? 'without end' : `${clock(until)} UTC`);
/** @param {{ admin: string, at: string }} order */
const givenBy = ({ admin, at }) => `${admin}, ${clock(at)} UTC`;

/**
 * The bans, mutes and slow modes that hold.
 * @param {import('./panel.js').Context} context
 * @returns {import('./panel.js').View}
 */
export function moderationView(context) {
  const { api, mayAct } = context;
  const bans = new Table({
    caption: 'Bans',
    empty: 'Nobody is banned.',
    keyOf: (/** @type {Ban} */ { userId }) => String(userId),
    columns: [
      { title: 'User', isKey: true, value: ({ userId }) => userId, draw: ({ userId }) => userLink(userId) },
      { title: 'Until', value: untilText },
      { title: 'Reason', value: ({ reason }) => reason ?? '' },
      { title: 'Given by', value: givenBy },
      ...when(mayAct, (/** @type {Ban} */ { userId }) =>
        rowButton('Unban', `Unban user ${userId}`, () => unban(context, userId)),
      ),
    ],
  });
  const mutes = new Table({
    caption: 'Mutes',
    empty: 'Nobody is muted.',
    keyOf: (/** @type {Mute} */ { userId, place }) => `${userId} ${place}`,
    columns: [
      { title: 'User', isKey: true, value: ({ userId }) => userId, draw: ({ userId }) => userLink(userId) },
      {
        title: 'Where',
        value: ({ place }) => place ?? 'everywhere',
        draw: ({ place }) => (place === null ? 'everywhere' : placeLink(place)),
      },
      { title: 'Until', value: untilText },
      { title: 'Given by', value: givenBy },
      ...when(mayAct, (/** @type {Mute} */ { userId, place }) =>
        rowButton('Unmute', `Unmute user ${userId} ${place ?? 'everywhere'}`, () => unmute(context, userId, place)),
      ),
    ],
  });
  const slowModes = new Table({
    caption: 'Slow mode',
    empty: 'No place is in slow mode.',
    keyOf: (/** @type {SlowMode} */ { place }) => place,
    columns: [
      { title: 'Place', isKey: true, value: ({ place }) => place, draw: ({ place }) => placeLink(place) },
      { title: 'One message in', value: ({ seconds }) => `${seconds} s` },
      { title: 'Given by', value: givenBy },
      ...when(mayAct, (/** @type {SlowMode} */ { place }) =>
        rowButton('Change', `Change the slow mode of ${place}`, () => slowDown(context, place)),
      ),
    ],
  });
  /** @type {Panel<Ban[]>} */
  const banPanel = new Panel({ api, title: 'Bans', path: () => 'bans' }, bans.element);
  /** @type {Panel<Mute[]>} */
  const mutePanel = new Panel({ api, title: 'Mutes', path: () => 'mutes' }, mutes.element);
  /** @type {Panel<SlowMode[]>} */
  const slowPanel = new Panel(
    { api, title: 'Slow mode', path: () => 'slow-modes' },
    slowModes.element,
    mayAct &&
      el(
        'p',
        { class: 'buttons' },
        rowButton('Slow a place down', 'Slow a place down', () => slowDown(context, '')),
      ),
  );
  return {
    element: el('div', {}, banPanel.element, mutePanel.element, slowPanel.element),
    every: 2_000,
    async refresh() {
      const [banned, muted, slowed] = await Promise.all([banPanel.read(), mutePanel.read(), slowPanel.read()]);
      bans.show(banned);
      mutes.show(muted);
      slowModes.show(slowed);
    },
  };
}

/**
 * The column of the action, where actions are allowed.
 * @template Row
 * @param {boolean} mayAct
 * @param {(row: Row) => Node} draw
 * @returns {import('./table.js').Column<Row>[]}
 */
function when(mayAct, draw) {
  return mayAct ? [{ title: 'Action', kind: 'actions', value: () => '', draw }] : [];
}
