import { Api, CallFailed } from './api.js';
import { byId, el, say } from './dom.js';
import { jobsView } from './view-jobs.js';
import { moderationView } from './view-moderation.js';
import { placesView } from './view-places.js';
import { serversView } from './view-servers.js';
import { slowView } from './view-slow.js';
import { traceView } from './view-trace.js';
import { usersView } from './view-users.js';

/** @typedef {import('./panel.js').View} View */
/** @typedef {import('./panel.js').Context} Context */

/**
 * The views by their names in the address, such as `#users/42`.
 * @type {Record<string, { title: string, open: (context: Context, subject: string) => View }>}
 */
const VIEWS = {
  servers: { title: 'Servers', open: serversView },
  places: { title: 'Places', open: placesView },
  slow: { title: 'Slow clients', open: slowView },
  users: { title: 'Users', open: usersView },
  trace: { title: 'Trace', open: traceView },
  moderation: { title: 'Moderation', open: moderationView },
  jobs: { title: 'Jobs', open: jobsView },
};
const FIRST = 'servers';

const TOKEN_KEY = 'chat-admin-token';

const login = byId('login', HTMLFormElement);
const tokenField = byId('token', HTMLInputElement);
const loginProblem = byId('login-problem', HTMLParagraphElement);
const problem = byId('problem', HTMLParagraphElement);
const main = byId('main', HTMLElement);
const nav = byId('nav', HTMLElement);
const fresh = byId('fresh', HTMLSpanElement);
const pause = byId('pause', HTMLButtonElement);

/** The running refreshes of the view that is open. */
class Refreshes {
  #view;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isRunning = false;
  #isAgain = false;
  #isOver = false;

  /** @param {View} view */
  constructor(view) {
    this.#view = view;
  }

  /** Refreshes now, or again after the refresh that runs. */
  async now() {
    clearTimeout(this.#timer);
    if (this.#isRunning) {
      this.#isAgain = true;
      return;
    }
    this.#isRunning = true;
    try {
      await this.#view.refresh();
      if (!this.#isOver) succeeded();
    } catch (error) {
      if (!this.#isOver) failed(error);
    }
    this.#isRunning = false;
    if (this.#isOver) return;
    if (this.#isAgain) {
      this.#isAgain = false;
      void this.now();
    } else if (!isPaused && !document.hidden) {
      this.#timer = setTimeout(() => this.now(), this.#view.every);
    }
  }

  end() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#view.close?.();
  }
}

/** @type {{ api: Api, mayAct: boolean } | null} */
let session = null;
/** @type {Refreshes | null} */
let refreshes = null;
let isPaused = false;

function succeeded() {
  problem.hidden = true;
  say(fresh, `Updated ${new Date().toLocaleTimeString()}${isPaused ? ', paused' : ''}`);
}

/** @param {unknown} error */
function failed(error) {
  if (error instanceof CallFailed && error.status === 401) {
    leave(`The token is no longer accepted: ${error.message}.`);
    return;
  }
  const text = error instanceof Error ? error.message : String(error);
  say(problem, text);
  problem.hidden = false;
  if (!(error instanceof CallFailed)) throw error;
}

/** Opens the view that the address names. */
function openView() {
  if (session === null) return;
  const [name = '', ...rest] = decodeURIComponent(location.hash.slice(1)).split('/');
  const chosen = VIEWS[name] === undefined ? FIRST : name;
  refreshes?.end();
  const view = VIEWS[chosen]?.open({ ...session, refresh: () => void refreshes?.now() }, rest.join('/'));
  if (view === undefined) return;
  main.replaceChildren(view.element);
  problem.hidden = true;
  nav.replaceChildren(
    ...Object.entries(VIEWS).map(([key, { title }]) =>
      el('a', { href: `#${key}`, 'aria-current': key === chosen ? 'page' : null }, title),
    ),
  );
  // A narrow window shows a part of the views.
  nav.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  document.title = `${VIEWS[chosen]?.title} – Chat administration`;
  refreshes = new Refreshes(view);
  void refreshes.now();
}

/** @param {boolean} isIn */
function showParts(isIn) {
  byId('login-frame', HTMLElement).hidden = isIn;
  for (const id of ['top', 'main', 'foot']) byId(id, HTMLElement).hidden = !isIn;
}

/** @param {string} token */
async function enter(token) {
  const api = new Api(token);
  /** @type {import('./api.js').Me} */
  const { admin, pageActions } = await api.call('GET', 'me');
  sessionStorage.setItem(TOKEN_KEY, token);
  session = { api, mayAct: pageActions };
  tokenField.value = '';
  say(byId('who', HTMLSpanElement), admin);
  const mode = byId('mode', HTMLSpanElement);
  say(mode, pageActions ? 'may act' : 'read only');
  mode.className = pageActions ? 'chip warn' : 'chip';
  mode.title = pageActions ? 'ADMIN_PAGE_ACTIONS is on' : 'ADMIN_PAGE_ACTIONS is off; the server refuses changes';
  showParts(true);
  openView();
}

/** Forgets the token and shows the login. @param {string} why */
function leave(why) {
  sessionStorage.removeItem(TOKEN_KEY);
  session = null;
  refreshes?.end();
  refreshes = null;
  main.replaceChildren();
  byId('dialog', HTMLDialogElement).close();
  problem.hidden = true;
  document.title = 'Chat administration';
  showParts(false);
  say(loginProblem, why);
  tokenField.focus();
}

/** @param {unknown} error */
function loginText(error) {
  if (error instanceof CallFailed && error.status === 401) return 'This is no token of ADMIN_TOKENS.';
  return error instanceof Error ? error.message : String(error);
}

login.addEventListener('submit', async (event) => {
  event.preventDefault();
  say(loginProblem, '');
  try {
    await enter(tokenField.value.trim());
  } catch (error) {
    say(loginProblem, loginText(error));
    tokenField.select();
  }
});
byId('logout', HTMLButtonElement).addEventListener('click', () => leave(''));
pause.addEventListener('click', () => {
  isPaused = !isPaused;
  pause.setAttribute('aria-pressed', String(isPaused));
  void refreshes?.now();
});
// Nobody looks at a hidden tab, so the servers need not count for it.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !isPaused) void refreshes?.now();
});
window.addEventListener('hashchange', openView);

const kept = sessionStorage.getItem(TOKEN_KEY);
if (kept === null) leave('');
else enter(kept).catch((error) => leave(loginText(error)));
