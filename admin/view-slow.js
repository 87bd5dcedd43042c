import { bar, figure } from './chart.js';
import { el } from './dom.js';
import { bytes, number, since } from './format.js';
import { Panel, userLink } from './panel.js';
import { Table } from './table.js';

/** @typedef {import('./api.js').SlowClient} SlowClient */
/** @typedef {import('./panel.js').Context} Context */

/**
 * The sessions for which the most bytes wait.
 * @param {Context} context
 * @returns {import('./panel.js').View}
 */
export function slowView(context) {
  return { ...slowPanel(context, null), every: 2_000 };
}

/**
 * The slow clients.
 * @param {Context} context
 * @param {number | null} size how many, with fewer columns; null for all that the API shows
 */
export function slowPanel({ api }, size) {
  let most = 1;
  /** @type {import('./table.js').Column<SlowClient>[]} */
  const columns = [
    { title: 'User', isKey: true, value: ({ userId }) => userId, draw: ({ userId }) => userLink(userId) },
    {
      title: 'Waiting',
      kind: 'number',
      value: ({ waitingBytes }) => `${waitingBytes} ${most}`,
      draw: ({ waitingBytes }) =>
        el('span', { class: 'with-bar' }, bar(waitingBytes / most, 'warm'), figure(bytes(waitingBytes))),
    },
    { title: 'Server', value: ({ server }) => server },
    { title: 'Transport', value: ({ transport }) => transport },
  ];
  if (size === null) {
    columns.push(
      { title: 'Address', value: ({ address }) => address },
      { title: 'Connected for', value: (client) => since(client.since) },
      { title: 'Subscriptions', kind: 'number', value: ({ subscriptions }) => number(subscriptions) },
    );
  }
  const table = new Table({
    caption: 'Slow clients',
    empty: 'No bytes wait for any client.',
    keyOf: ({ server, userId, since, address }) => `${server} ${userId} ${since} ${address}`,
    columns,
  });
  /** @type {Panel<{ clients: SlowClient[], leftOut: number, missing: string[] }>} */
  const panel = new Panel(
    {
      api,
      title: 'Slow clients',
      hint: size === null ? 'A session ends when LIMIT_OUTGOING_BYTES wait. A few bytes for a moment are normal.' : '',
      path: () => `slow-clients${size === null ? '' : `?size=${size}`}`,
    },
    table.element,
  );
  return {
    element: panel.element,
    async refresh() {
      const { clients, leftOut, missing } = await panel.read();
      most = Math.max(1, clients[0]?.waitingBytes ?? 0);
      if (size === null && leftOut > 0 && missing.length === 0)
        panel.note(`Bytes wait for ${number(leftOut)} more clients.`);
      table.show(clients);
    },
  };
}
