import type { Voice } from 'chat-server-client';
import type { PlaceInfo } from '../state/place-book.ts';
import type { Session } from '../state/session.ts';
import { type Ends, follow } from '../state/signal.ts';
import { avatar } from '../support/avatar.ts';
import { attribute, el, KeyedList } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { words } from '../words/index.ts';

/** Voice in one channel: the button to join or leave, and the users who are in it. */
export class VoiceRow {
  readonly button = el('button', { type: 'button', class: 'voice icon-button' }, icon('voice'));
  readonly people = el('ul', { class: 'in-voice', hidden: true });
  readonly #session: Session;
  readonly #voice: Voice;
  readonly #list: KeyedList<number>;
  #place: PlaceInfo;

  constructor(session: Session, place: PlaceInfo, ends: Ends) {
    this.#session = session;
    this.#place = place;
    this.#voice = session.chat.voice(place.communityId ?? 0);
    this.#list = new KeyedList(this.people, String, (id) => {
      const { name, image } = session.people.get(id);
      return { node: el('li', {}, avatar(id, name, image), el('span', { dir: 'auto' }, name)), update() {} };
    });
    this.button.addEventListener('click', () => {
      const isIn = this.#users.includes(session.me.id);
      session.voice.set(isIn ? null : this.#place.key);
    });
    ends.add(follow(() => this.#show(), this.#voice, session.voice));
  }

  update(place: PlaceInfo): void {
    this.#place = place;
    this.#show();
  }

  get #users(): readonly number[] {
    return this.#voice.getSnapshot().get(this.#place.id) ?? [];
  }

  #show(): void {
    const users = this.#users;
    const { title } = this.#place;
    const isIn = users.includes(this.#session.me.id);
    const text = words().voice;
    const label = isIn ? text.leave(title) : text.join(title);
    attribute(this.button, 'aria-label', label);
    attribute(this.button, 'title', label);
    attribute(this.button, 'aria-pressed', String(isIn));
    this.people.hidden = users.length === 0;
    attribute(this.people, 'aria-label', text.inChannel(title));
    this.#list.show(users);
  }
}
