/** Time after the start in which the first messages have the line for themselves. */
const REST_MS = 1_500;

/** Parts that are opened later than the first messages. They are no part of the first script. */
export const later = {
  lightbox: () => import('../files/lightbox.ts'),
  prepare: () => import('../files/prepare.ts'),
  sheet: () => import('../timeline/sheet.ts'),
  moves: () => import('./moves.ts'),
  notify: () => import('./notify.ts'),
  settings: () => import('./settings.ts'),
  shortcuts: () => import('./shortcuts.ts'),
  tray: () => import('../composer/tray.ts'),
  voice: () => import('../places/voice-card.ts'),
  switcher: () => import('../switcher/switcher.ts'),
};

/** Few people open the inspector, so `loadRest` leaves it out. */
export const inspector = () => import('../inspector/panel.ts');

/** Loads a part and uses it. `main.ts` says so where it cannot be loaded. */
export async function withPart<T>(load: () => Promise<T>, use: (part: T) => void | Promise<void>): Promise<void> {
  await use(await load());
}

/** Loads the parts soon, because they must open without the server too. */
export function loadRest(): () => void {
  const timer = setTimeout(() => Promise.allSettled(Object.values(later).map((load) => load())), REST_MS);
  return () => clearTimeout(timer);
}
