import type { Chat } from 'chat-server-client';
import { Ends, follow } from '../state/signal.ts';
import { el, setText } from '../support/dom.ts';
import { words } from '../words/index.ts';

/** A short outage is not worth a word. */
const QUIET_MS = 1_500;
const SECOND_MS = 1_000;

/**
 * The state of the connection in plain words. The region for screen readers has no seconds in it,
 * and the button stays the same element while they count down.
 */
export class Banner {
  readonly node = el('div', { id: 'banner', hidden: true });
  readonly #text = el('span', { role: 'status' });
  readonly #countdown = el('span', { 'aria-hidden': 'true', class: 'countdown' });
  readonly #now = el('button', { type: 'button' }, words().status.tryNow);
  readonly #chat: Chat;
  readonly #ends = new Ends();
  #quiet = 0;
  #isFirst = true;

  constructor(chat: Chat) {
    this.#chat = chat;
    this.node.append(this.#text, this.#countdown, this.#now);
    this.#now.addEventListener('click', () => chat.reconnect());
    this.#ends.on(window, 'offline', () => this.#show());
    this.#ends.on(window, 'online', () => this.#show());
    const timer = setInterval(() => this.#count(), SECOND_MS);
    this.#ends.add(
      () => clearInterval(timer),
      () => clearTimeout(this.#quiet),
      follow(() => this.#show(), chat.state),
    );
  }

  end(): void {
    this.#ends.end();
  }

  #show(): void {
    const state = this.#chat.state.getSnapshot();
    const text = words().status;
    const isUp = state.kind === 'online' && navigator.onLine;
    if (isUp) {
      clearTimeout(this.#quiet);
      this.#quiet = 0;
      this.#isFirst = false;
      this.node.hidden = true;
      setText(this.#text, '');
      return;
    }
    // While an attempt follows a failed one, the words stay: they would flicker otherwise.
    if (state.kind === 'connecting' && this.#isFirst) {
      if (this.#quiet === 0) this.#quiet = setTimeout(() => this.#say(text.connecting, false), QUIET_MS);
      return;
    }
    this.#isFirst = false;
    clearTimeout(this.#quiet);
    if (state.kind === 'refused') this.#say(text.refused(state.reason), true);
    else this.#say(navigator.onLine ? text.lost : text.offline, true);
    this.#count();
  }

  #say(what: string, canRetry: boolean): void {
    this.node.hidden = false;
    this.#now.hidden = !canRetry;
    setText(this.#text, what);
  }

  #count(): void {
    if (this.node.hidden) return;
    const state = this.#chat.state.getSnapshot();
    const isWaiting = state.kind === 'waiting' && state.retryAt > Date.now();
    const seconds = isWaiting ? Math.ceil((state.retryAt - Date.now()) / SECOND_MS) : 0;
    setText(this.#countdown, seconds > 0 ? words().status.in(seconds) : '');
  }
}
