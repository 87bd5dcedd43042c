import type { PlaceKey } from 'chat-server-client';
import { Composer } from '../composer/composer.ts';
import { PeopleView } from '../people/people-view.ts';
import type { PlaceInfo } from '../state/place-book.ts';
import type { Session } from '../state/session.ts';
import { Ends, follow } from '../state/signal.ts';
import { attribute, el, setText } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { TimelineView } from '../timeline/timeline-view.ts';
import { words } from '../words/index.ts';

export interface ConversationParts {
  readonly home: string;
  readonly permalink: (place: PlaceKey, seq: number) => string;
}

/** An open place: its head, messages, composer and members. */
export class Conversation {
  readonly main: HTMLElement;
  readonly people: PeopleView;
  readonly key: PlaceKey;
  readonly #session: Session;
  readonly #timeline: TimelineView;
  readonly #composer: Composer;
  readonly #ends = new Ends();

  constructor(session: Session, info: PlaceInfo, parts: ConversationParts) {
    const { key, id, communityId } = info;
    this.key = key;
    this.#session = session;
    const place = communityId === null ? session.chat.place(key) : session.chat.channel(communityId, id);
    const composer: Composer = new Composer(session, info, place, {
      sent: () => void timeline.toNewest(),
      editLast: () => timeline.editLast(),
      toNewest: () => void timeline.toNewest(),
    });
    const timeline = new TimelineView(session, info, place, {
      reply: (entry) => composer.reply(entry),
      giveBack: (text) => composer.giveBack(text),
      focusComposer: () => composer.focus(),
      permalink: (at, { seq }) => parts.permalink(at, seq ?? 0),
    });
    this.#composer = composer;
    this.#timeline = timeline;
    this.people = new PeopleView(session, info);

    const typing = el('p', { id: 'typing', 'aria-live': 'polite' });
    this.#ends.add(
      follow(() => {
        const { typing: names } = place.getSnapshot();
        setText(typing, names.length === 0 ? '' : words().messages.typing(names));
      }, place),
    );
    this.main = el(
      'main',
      { id: 'talk' },
      this.#head(info, parts.home),
      timeline.node,
      typing,
      composer.node,
      el('div', { id: 'drop', 'aria-hidden': 'true' }, el('p', {}, words().composer.drop)),
    );
  }

  /** Called when the view is in the document. */
  placed(): void {
    this.#timeline.placed();
  }

  /** Shows a message by its number. */
  toNumber(seq: number): void {
    this.#timeline.toNumber(seq);
  }

  addFiles(files: readonly File[]): void {
    this.#composer.addFiles(files);
  }

  focusComposer(): void {
    this.#composer.focus();
  }

  focusMessages(): void {
    this.#timeline.focus();
  }

  end(): void {
    this.#ends.end();
    this.#timeline.end();
    this.people.end();
  }

  #head({ key, kind, title, community }: PlaceInfo, home: string): HTMLElement {
    const text = words();
    const heading = el('h1', { id: 'talk-title', dir: 'auto' });
    const about = el('p', { id: 'talk-about' });
    const badge = el('span', { class: 'badge', hidden: true });
    const back = el('a', { id: 'back', href: home, 'aria-label': text.places.back }, icon('back'), badge);
    const show = el(
      'button',
      {
        id: 'show-people',
        type: 'button',
        'aria-label': text.people.show,
        'aria-controls': 'people',
        'aria-expanded': 'false',
      },
      icon('people'),
      el('span', {}, text.people.show),
    );
    show.addEventListener('click', () => {
      const isShown = this.people.node.classList.toggle('shown');
      attribute(show, 'aria-expanded', String(isShown));
    });
    const { chat, places } = this.#session;
    this.#ends.add(
      follow(() => {
        const place = places.find(key);
        setText(heading, place?.title ?? title);
        const members = place?.members == null ? '' : text.people.members(place.members.length);
        setText(about, [community, members].filter((part) => part !== null && part !== '').join(' · '));
      }, places.all),
      follow(() => {
        let sum = 0;
        for (const [other, { count }] of chat.unread.getSnapshot()) if (other !== key) sum += count;
        badge.hidden = sum === 0;
        setText(badge, sum > 99 ? '99+' : String(sum));
        attribute(back, 'aria-label', sum === 0 ? text.places.back : `${text.places.back}, ${text.places.unread(sum)}`);
      }, chat.unread),
    );
    const sign = kind === 'channel' ? el('span', { class: 'hash', 'aria-hidden': 'true' }, '#') : null;
    return el(
      'header',
      { id: 'talk-head' },
      back,
      el('div', { class: 'names' }, el('div', { class: 'heading' }, sign, heading), about),
      show,
    );
  }
}
