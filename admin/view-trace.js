import { showJson } from './dialog.js';
import { el, field, say } from './dom.js';
import { number, timeOf, UNKNOWN } from './format.js';
import { placeLink, userLink } from './panel.js';

/**
 * A line of a trace. `step` lines have the other fields, and the rest of the lines some of them.
 * @typedef {object} TraceLine
 * @property {'begin' | 'step' | 'server' | 'dropped' | 'alive' | 'end'} type
 * @property {string} [server]
 * @property {string} [time]
 * @property {string} [step]
 * @property {string | null} [kind]
 * @property {number | null} [userId]
 * @property {string | null} [session]
 * @property {string | null} [place]
 * @property {number | null} [seq]
 * @property {string | null} [messageId]
 * @property {number | null} [author]
 * @property {number | null} [code]
 * @property {string | null} [reason]
 * @property {number | null} [count]
 * @property {string} [until]
 * @property {string[]} [servers]
 * @property {string[]} [missing]
 * @property {string} [state]
 */
/** @typedef {{ kind: 'user', userId: number } | { kind: 'place', place: string }} Subject */

/** Lines that stay on the page. */
const MAX_LINES = 1_000;
const MAX_MINUTES = 10;

const TONES = /** @type {Record<string, string>} */ ({
  refused: 'bad',
  skipped: 'warn',
  disconnected: 'warn',
  stored: 'good',
  delivered: 'good',
});

/** @param {string} text such as 42, r-5 or c-11 @returns {object | null} */
function bodyOf(text) {
  if (/^[1-9]\d*$/.test(text)) return { userId: Number(text) };
  return /^(r|c|com)-[1-9]\d*$/.test(text) ? { place: text } : null;
}

/**
 * A trace of one user or place. It ends after its time, with the view, or on request.
 * @param {import('./panel.js').Context} context
 * @param {string} subject a user id or a place; empty for none
 * @returns {import('./panel.js').View}
 */
export function traceView({ api }, subject) {
  const who = el('input', { required: true, value: subject, placeholder: '42 or r-5', autocomplete: 'off' });
  const minutes = el('input', { type: 'number', min: 1, max: MAX_MINUTES, value: 5, required: true });
  const start = el('button', { type: 'submit', class: 'primary' }, 'Start');
  const stop = el('button', { type: 'button', disabled: true, onclick: () => end('Stopped.') }, 'Stop');
  const state = el('p', { class: 'state', role: 'status' }, 'A trace shows ids and kinds, never texts.');
  const problem = el('p', { class: 'problem', role: 'alert' });
  const lines = new TraceLines();
  /** @type {AbortController | null} */
  let running = null;

  /** @param {string} text */
  function end(text) {
    running?.abort();
    running = null;
    start.disabled = false;
    stop.disabled = true;
    say(state, text);
  }

  async function run() {
    const body = bodyOf(who.value.trim());
    if (body === null) {
      say(problem, 'Give the id of a user, or a place such as r-5, c-11 or com-1.');
      who.focus();
      return;
    }
    const own = new AbortController();
    running = own;
    start.disabled = true;
    stop.disabled = false;
    say(problem, '');
    say(state, 'Starting…');
    lines.clear();
    try {
      const { id } = await api.call('POST', 'traces', { ...body, minutes: Number(minutes.value) });
      const answer = await api.open('GET', `traces/${encodeURIComponent(id)}`, null, own.signal);
      for await (const line of linesOf(answer)) {
        const text = lines.add(line);
        if (text !== null && running === own) say(state, text);
      }
      if (running === own) end(stateText(lines.newest.at(-1)));
    } catch (error) {
      if (own.signal.aborted) return;
      end('The trace is over.');
      say(problem, error instanceof Error ? error.message : String(error));
    }
  }

  const json = () =>
    showJson({
      title: 'Trace',
      curl: curlOf(api, bodyOf(who.value.trim()), Number(minutes.value)),
      answer: lines.newest,
    });
  const form = el(
    'form',
    {
      class: 'trace-form',
      onsubmit: (event) => {
        event.preventDefault();
        void run();
      },
    },
    field('User id or place', who),
    field('Minutes, 10 at most', minutes),
    el('p', { class: 'buttons' }, start, stop),
  );
  return {
    element: el(
      'section',
      { class: 'panel' },
      el(
        'div',
        { class: 'head' },
        el('h2', {}, 'Trace'),
        el('p', { class: 'hint' }, 'Over all servers, live.'),
        el('button', { type: 'button', class: 'quiet', 'aria-label': 'JSON of: Trace', onclick: json }, 'JSON'),
      ),
      form,
      problem,
      state,
      lines.element,
    ),
    every: 60_000,
    // The stream brings what is new.
    refresh: async () => {},
    close: () => end(''),
  };
}

/**
 * The two calls of a trace as command lines, without the token.
 * @param {import('./api.js').Api} api
 * @param {object | null} body
 * @param {number} minutes
 */
function curlOf(api, body, minutes) {
  const data = JSON.stringify({ ...body, minutes });
  return `${api.curl('POST', 'traces')} -d '${data}'\n${api.curl('GET', 'traces/ID')} --no-buffer`;
}

/** @param {TraceLine | undefined} last */
function stateText(last) {
  if (last?.type !== 'end') return 'The connection to the server ended, and the trace with it.';
  return last.reason === 'time' ? 'The time of the trace is over.' : 'The server stops, and the trace ended with it.';
}

/** The JSON lines of an answer. @param {Response} answer @returns {AsyncGenerator<TraceLine>} */
async function* linesOf(answer) {
  if (answer.body === null) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const whole = (rest + value).split('\n');
    rest = whole.pop() ?? '';
    for (const line of whole) if (line !== '') yield JSON.parse(line);
  }
}

const HEADS = ['Time', 'Step', 'Kind', 'User', 'Place', 'Number', 'Server', 'Details'];

/** The table of the steps, the newest first. */
class TraceLines {
  #body = el('tbody');
  /** The lines as they came, the newest last. @type {TraceLine[]} */
  newest = [];
  element = el(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': 'Steps', tabindex: 0 },
    el(
      'table',
      {},
      el('caption', { class: 'unseen' }, 'Steps'),
      el('thead', {}, el('tr', {}, ...HEADS.map((head) => el('th', { scope: 'col' }, head)))),
      this.#body,
    ),
  );

  clear() {
    this.#body.replaceChildren();
    this.newest = [];
  }

  /**
   * Adds a line. Returns what it says about the trace as a whole, or null. @param {TraceLine} line
   */
  add(line) {
    this.newest.push(line);
    if (this.newest.length > MAX_LINES) this.newest.shift();
    switch (line.type) {
      case 'step':
        this.#push(stepRow(line));
        return null;
      case 'begin': {
        const { servers = [], missing = [], until = '' } = line;
        const left = missing.length === 0 ? '' : ` No answer from ${missing.join(', ')}.`;
        const time = new Date(timeOf(until)).toLocaleTimeString();
        return `Watching at ${servers.join(', ')} until ${time}.${left}`;
      }
      case 'server':
        this.#push(noteRow(`${line.server} ${line.state === 'watching' ? 'joined' : 'does not answer'}`));
        return null;
      case 'dropped':
        this.#push(noteRow(`${line.server} left out ${number(line.count)} steps`));
        return null;
      case 'alive':
      case 'end':
        return null;
    }
  }

  /** @param {HTMLTableRowElement} row */
  #push(row) {
    this.#body.prepend(row);
    if (this.#body.rows.length > MAX_LINES) this.#body.lastElementChild?.remove();
  }
}

/** @param {string} text */
function noteRow(text) {
  return el('tr', { class: 'note-row' }, el('td', { colspan: HEADS.length }, text));
}

/** @param {TraceLine} line */
function stepRow({ time = '', step = '', kind, userId, place, seq, server = '', ...more }) {
  const cells = [
    el('td', { class: 'mono' }, time.slice(11, 23)),
    el('td', {}, el('span', { class: `chip ${TONES[step] ?? ''}` }, step)),
    el('td', {}, kind ?? UNKNOWN),
    el('td', {}, userId === null || userId === undefined ? UNKNOWN : userLink(userId)),
    el('td', {}, place === null || place === undefined ? UNKNOWN : placeLink(place)),
    el('td', { class: 'mono' }, seq === null || seq === undefined ? UNKNOWN : String(seq)),
    el('td', {}, server),
    el('td', { class: 'details' }, detailsOf(more)),
  ];
  return el('tr', {}, ...cells);
}

/** @param {Partial<TraceLine>} line */
function detailsOf({ reason, code, count, author, session, messageId }) {
  const parts = [
    reason,
    code && `code ${code}`,
    count === null || count === undefined ? null : `to ${number(count)} subscriptions`,
    author && `by user ${author}`,
    session && `session ${session}`,
    messageId && `message ${messageId}`,
  ];
  return parts.filter(Boolean).join(', ');
}
