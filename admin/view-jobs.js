import { el } from './dom.js';
import { clock, number } from './format.js';
import { tryErasure, tryRetention } from './orders.js';
import { Panel, rowButton, userLink } from './panel.js';
import { Table } from './table.js';

/** @typedef {import('./api.js').Job} Job */

const TONES = { waiting: '', running: 'warn', done: 'good', failed: 'bad' };

/** @param {Job} job */
function settings({ task: { mode, userId, days, fileDays } }) {
  if (mode !== undefined) {
    return el('span', {}, `${mode} `, userId === null || userId === undefined ? null : userLink(userId));
  }
  if (days === undefined && fileDays === undefined) return 'as configured';
  const parts = [
    ...(days === null || days === undefined ? [] : [`messages ${days} days`]),
    ...(fileDays === null || fileDays === undefined ? [] : [`files ${fileDays} days`]),
  ];
  return parts.length === 0 ? 'as configured' : parts.join(', ');
}

/** @param {Job} job */
function countText({ counts }) {
  return Object.entries(counts)
    .map(([what, count]) => `${what} ${number(count)}`)
    .join(', ');
}

/**
 * The jobs of retention and erasure.
 * @param {import('./panel.js').Context} context
 * @returns {import('./panel.js').View}
 */
export function jobsView(context) {
  const { api, mayAct } = context;
  const table = new Table({
    caption: 'Jobs',
    empty: 'There was no job yet.',
    keyOf: (/** @type {Job} */ { id }) => id,
    columns: [
      {
        title: 'Job',
        isKey: true,
        value: ({ task }) =>
          task.kind === 'erasure' && task.dryRun ? 'erasure (dry run)' : task.kind.replaceAll('-', ' '),
      },
      {
        title: 'State',
        value: ({ state }) => state,
        draw: ({ state }) => el('span', { class: `chip ${TONES[state]}` }, state),
      },
      { title: 'Settings', value: ({ task }) => JSON.stringify(task), draw: settings },
      { title: 'Counted', value: countText },
      { title: 'Begun', value: ({ created }) => `${clock(created)} UTC` },
      { title: 'Finished', value: ({ finished }) => (finished === null ? '' : `${clock(finished)} UTC`) },
      { title: 'Problem', value: ({ error }) => error ?? '' },
    ],
  });
  /** @type {Panel<{ jobs: Job[] }>} */
  const panel = new Panel(
    { api, title: 'Jobs', hint: 'Of all servers, the newest first.', path: () => 'jobs' },
    table.element,
    mayAct &&
      el(
        'p',
        { class: 'buttons' },
        rowButton('Dry run of retention', 'Dry run of retention', () => tryRetention(context)),
        rowButton('Dry run of an erasure', 'Dry run of an erasure', () => tryErasure(context)),
      ),
  );
  return {
    element: panel.element,
    every: 2_000,
    async refresh() {
      const { jobs } = await panel.read();
      table.show(jobs);
    },
  };
}
