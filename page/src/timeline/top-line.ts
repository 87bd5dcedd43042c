import { el } from '../support/dom.ts';
import { words } from '../words/index.ts';

/** What the place above the oldest message says. */
export type TopState = 'skeleton' | 'refused' | 'failed' | 'reading' | 'beginning' | 'empty' | 'nothing';

/** The line above the oldest message: what is being read, failed, or the beginning. */
export class TopLine {
  readonly node = el('div', { class: 'top' });
  readonly #tryAgain: () => void;
  #state: TopState = 'nothing';

  constructor(tryAgain: () => void) {
    this.#tryAgain = tryAgain;
  }

  show(state: TopState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.node.replaceChildren(...this.#content(state));
  }

  #content(state: TopState): readonly HTMLElement[] {
    const text = words().messages;
    switch (state) {
      case 'skeleton':
        return skeleton();
      case 'refused':
        return [el('p', {}, words().places.forbidden)];
      case 'failed': {
        const tryAgain = el('button', { type: 'button', class: 'link', onclick: this.#tryAgain }, text.tryAgain);
        return [el('p', {}, text.failedOlder, ' ', tryAgain)];
      }
      case 'reading':
        return [el('p', {}, text.loadingOlder)];
      case 'beginning':
        return [el('p', {}, text.beginning)];
      case 'empty':
        return [el('p', {}, text.empty)];
      case 'nothing':
        return [];
    }
  }
}

/** Grey bars in the place of messages. */
function skeleton(): HTMLElement[] {
  const widths = [60, 85, 40, 70, 90, 55];
  return [
    el('p', { class: 'visually-hidden' }, words().messages.loading),
    ...widths.map((width) => el('div', { class: `ghost w-${width}`, 'aria-hidden': 'true' })),
  ];
}
