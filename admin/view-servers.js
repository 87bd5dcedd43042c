import { bar, Sparkline } from './chart.js';
import { el, say } from './dom.js';
import { bytes, milliseconds, number, percent, since, UNKNOWN } from './format.js';
import { Panel } from './panel.js';
import { Table } from './table.js';
import { busiestPanel } from './view-places.js';
import { slowPanel } from './view-slow.js';

/** @typedef {import('./api.js').Server} Server */

/** An event loop that is busier than this has no room for a burst. */
const WARM = 0.6;
const HOT = 0.85;
/** Entries of the lists of places and clients. */
const TOP = 6;

/** A figure of the whole cluster with its last two minutes. */
class Tile {
  #figure = el('strong', {}, UNKNOWN);
  #more = el('span', { class: 'more' });
  #spark = new Sparkline();
  element;

  /** @param {string} title */
  constructor(title) {
    this.element = el('li', { class: 'tile' }, el('span', {}, title), this.#figure, this.#more, this.#spark.element);
  }

  /** @param {number} value @param {string} text @param {string} more */
  show(value, text, more) {
    say(this.#figure, text);
    say(this.#more, more);
    this.#spark.push(value);
  }
}

/** @param {Server} server */
function state({ ready, degraded, reasons }) {
  if (!ready) return el('span', { class: 'chip bad' }, `not ready: ${reasons.join(', ')}`);
  if (degraded.length > 0) return el('span', { class: 'chip warn' }, 'degraded');
  return el('span', { class: 'chip good' }, 'ready');
}

/** @param {Server} server */
function eventLoop({ eventLoopUtilization: part, eventLoopDelayMs: delay }) {
  const tone = part === null || part < WARM ? '' : part < HOT ? 'warm' : 'hot';
  return el(
    'span',
    { class: 'with-bar' },
    bar(part ?? 0, tone),
    percent(part),
    el('span', { class: 'soft' }, delay === null ? '' : ` ≤ ${milliseconds(delay)}`),
  );
}

/** @type {readonly import('./table.js').Column<Server>[]} */
const COLUMNS = [
  { title: 'Server', isKey: true, value: ({ server }) => server },
  {
    title: 'State',
    value: ({ ready, reasons, degraded }) => `${ready} ${reasons.join()} ${degraded.length}`,
    draw: state,
  },
  { title: 'Version', value: ({ version }) => version },
  { title: 'Up for', kind: 'number', value: (server) => since(server.since) },
  { title: 'Sessions', kind: 'number', value: ({ sessions }) => number(sessions) },
  { title: 'Subscriptions', kind: 'number', value: ({ subscriptions }) => number(subscriptions) },
  { title: 'Messages/s', kind: 'number', value: ({ messagesPerSecond }) => number(messagesPerSecond) },
  { title: 'Deliveries/s', kind: 'number', value: ({ deliveriesPerSecond }) => number(deliveriesPerSecond) },
  { title: 'Lag', kind: 'number', value: ({ lag }) => number(lag) },
  {
    title: 'Event loop',
    value: ({ eventLoopUtilization, eventLoopDelayMs }) => `${eventLoopUtilization} ${eventLoopDelayMs}`,
    draw: eventLoop,
  },
  { title: 'Memory', kind: 'number', value: ({ memoryBytes }) => bytes(memoryBytes) },
];

/**
 * The servers with their sums and the parts that do not work, and the top of the other lists.
 * @param {import('./panel.js').Context} context
 * @returns {import('./panel.js').View}
 */
export function serversView(context) {
  const tiles = {
    servers: new Tile('Servers'),
    sessions: new Tile('Sessions'),
    messages: new Tile('Messages/s'),
    deliveries: new Tile('Deliveries/s'),
    lag: new Tile('Largest lag'),
    loop: new Tile('Busiest event loop'),
  };
  const troubles = el('ul', { class: 'troubles', 'aria-label': 'Degraded parts', role: 'status' });
  const table = new Table({
    caption: 'Servers',
    empty: 'No server has answered.',
    columns: COLUMNS,
    keyOf: ({ server }) => server,
  });
  /** @type {Panel<{ servers: Server[] }>} */
  const panel = new Panel({ api: context.api, title: 'Servers', path: () => 'servers' }, table.element);
  const tops = [busiestPanel(context, TOP), slowPanel(context, TOP)];

  return {
    element: el(
      'div',
      {},
      el(
        'ul',
        { class: 'tiles', 'aria-label': 'Whole cluster' },
        ...Object.values(tiles).map(({ element }) => element),
      ),
      troubles,
      panel.element,
      el('div', { class: 'side-by-side' }, ...tops.map(({ element }) => element)),
    ),
    every: 2_000,
    async refresh() {
      const [{ servers }] = await Promise.all([panel.read(), ...tops.map((top) => top.refresh())]);
      /** @param {(server: Server) => number | null} of */
      const sum = (of) => servers.reduce((total, server) => total + (of(server) ?? 0), 0);
      /** @param {(server: Server) => number | null} of */
      const most = (of) => Math.max(0, ...servers.map((server) => of(server) ?? 0));
      const ready = servers.filter((server) => server.ready).length;
      const [sessions, messages] = [sum((server) => server.sessions), sum((server) => server.messagesPerSecond)];
      const deliveries = sum((server) => server.deliveriesPerSecond);
      const lags = servers.map(({ lag }) => lag).filter((lag) => lag !== null);
      const loop = most((server) => server.eventLoopUtilization);
      tiles.servers.show(servers.length, number(servers.length), `${ready} ready`);
      tiles.sessions.show(sessions, number(sessions), `${number(sum((server) => server.subscriptions))} subscriptions`);
      tiles.messages.show(messages, number(messages), 'sent by clients');
      tiles.deliveries.show(deliveries, number(deliveries), 'to subscriptions');
      const lag = Math.max(0, ...lags);
      tiles.lag.show(
        lag,
        lags.length === 0 ? UNKNOWN : number(lag),
        lags.length === 0 ? 'the bus is embedded' : 'records',
      );
      const delays = servers.map(({ eventLoopDelayMs }) => eventLoopDelayMs).filter((delay) => delay !== null);
      const delay = milliseconds(delays.length === 0 ? null : Math.max(...delays));
      tiles.loop.show(loop, percent(loop), `longest delay ${delay}`);
      showTroubles(troubles, servers);
      table.show(servers);
    },
  };
}

/**
 * Names each part that does not work once, with its servers.
 * @param {HTMLUListElement} list
 * @param {readonly Server[]} servers
 */
function showTroubles(list, servers) {
  /** @type {Map<string, string[]>} */
  const byPart = new Map();
  for (const { server, degraded } of servers) {
    for (const part of degraded) byPart.set(part, [...(byPart.get(part) ?? []), server]);
  }
  const lines = [...byPart].map(([part, names]) => `${part} (${names.join(', ')})`);
  if (lines.join('\n') === [...list.children].map((child) => child.textContent).join('\n')) return;
  list.replaceChildren(...lines.map((line) => el('li', {}, line)));
}
