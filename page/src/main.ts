import { notice, placeAnnouncer } from './shell/announcer.ts';
import { App } from './shell/app.ts';
import { applyTheme } from './shell/theme.ts';
import { fetchWorld, type World } from './state/demo-api.ts';
import { el } from './support/dom.ts';
import { loadWords, words } from './words/index.ts';

const RETRY_MS = 2_000;
const root = document.getElementById('app') as HTMLElement;
let app: App | null = null;
let world: World | null = null;

/**
 * Shows the user, the place and the message of the address, such as `#/1/r-5/12`. They are kept
 * there so that a reload and a link open the same view.
 */
function route(): void {
  if (world === null) return;
  const [, user = '', place = '', seq] = location.hash.split('/');
  const userId = Number(user);
  const isUser = Number.isSafeInteger(userId) && userId > 0;
  const isKnown = world.users.length === 0 ? isUser : world.users.some(({ id }) => id === userId);
  if (!isKnown) {
    app?.end();
    app = null;
    document.title = words().page.title;
    showPicker(world);
    return;
  }
  if (app?.session.me.id !== userId) {
    app?.end();
    app = new App(userId, world);
    root.replaceChildren(app.node);
  }
  app.show(place === '' ? null : place, seq === undefined ? null : Number(seq));
}

async function showPicker(known: World): Promise<void> {
  const { picker } = await import('./shell/picker.ts');
  const enter = (id: number) => {
    location.hash = `#/${id}`;
  };
  if (app === null) root.replaceChildren(picker(known, enter));
}

async function start(): Promise<void> {
  applyTheme();
  placeAnnouncer();
  const asked = fetchWorld();
  // Its failure is handled below. Until then, nobody waits for it.
  asked.catch(() => {});
  await loadWords();
  const waits = root.querySelector('p');
  if (waits !== null) waits.textContent = words().status.connecting;
  let answer = asked;
  while (world === null) {
    try {
      world = await answer;
    } catch {
      root.replaceChildren(
        el(
          'main',
          { class: 'plain' },
          el('h1', {}, words().page.title),
          el('p', { role: 'status' }, words().picker.failed),
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      answer = fetchWorld();
    }
  }
  route();
}

/** The keyboard of some phones covers the page instead of making it smaller. */
function fitAboveKeyboard(): void {
  const { visualViewport: seen } = window;
  if (seen === null) return;
  seen.addEventListener('resize', () => {
    if (seen.scale === 1) document.documentElement.style.setProperty('--height', `${seen.height}px`);
  });
}

/** A part that is loaded later is gone when the server has a new version of the page. */
function listenToMissingParts(): void {
  addEventListener('unhandledrejection', ({ reason }) => {
    if (!/import(ing|ed).* module|module script/i.test(String(reason?.message))) return;
    const { outdated, reload, partMissing } = words().status;
    const isOnline = app?.session.chat.state.getSnapshot().kind === 'online';
    if (isOnline) notice(outdated, { label: reload, press: () => location.reload() });
    else notice(partMissing);
  });
}

addEventListener('hashchange', route);
listenToMissingParts();
fitAboveKeyboard();
start();
