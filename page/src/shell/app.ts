import type { PlaceKey } from 'chat-server-client';
import { PlacesView } from '../places/places-view.ts';
import type { World } from '../state/demo-api.ts';
import type { PlaceInfo } from '../state/place-book.ts';
import { Session } from '../state/session.ts';
import { Ends } from '../state/signal.ts';
import { keepVoice } from '../state/voice-keeper.ts';
import { el } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { words } from '../words/index.ts';
import { notice } from './announcer.ts';
import { Banner } from './banner.ts';
import { Conversation } from './conversation.ts';
import { listenToFiles } from './dropped-files.ts';
import { listenToKeys } from './keys.ts';
import { inspector, later, loadRest, withPart } from './later.ts';
import { keepNotices } from './notices.ts';

/** The whole page of one signed-in user: places, the open conversation, members, inspector. */
export class App {
  readonly node = el('div', { id: 'chat' });
  readonly session: Session;
  readonly #ends = new Ends();
  readonly #inspector = el('aside', { id: 'inspector', hidden: true, 'aria-label': words().inspector.title });
  readonly #skip = el('a', { class: 'skip', href: '#text', hidden: true }, words().page.skip);
  readonly #places: PlacesView;
  #conversation: Conversation | null = null;
  /** The text in the middle while no conversation is open. */
  #nothing: HTMLElement | null = null;
  #last: PlaceInfo | null = null;
  #closeInspector: (() => void) | null = null;

  constructor(userId: number, world: World) {
    this.session = new Session(userId, world);
    const { session } = this;
    const banner = new Banner(session.chat);
    this.#places = new PlacesView(session, {
      addressOf: ({ key }) => this.addressOf(key),
      find: () => this.find(),
      inspect: () => this.inspect(),
      settings: () => this.#openSettings(),
    });
    const skip = this.#skip;
    skip.addEventListener('click', (event) => {
      event.preventDefault();
      this.#conversation?.focusComposer();
    });
    this.node.append(skip, banner.node, this.#places.node, this.#inspector);
    this.#ends.add(
      () => banner.end(),
      session.voice.subscribe(() => this.#showVoice()),
      keepVoice(session),
      keepNotices(session, (place) => this.go(place)),
      session.places.all.subscribe(() => this.#placesChanged()),
      listenToKeys(this),
      loadRest(),
      listenToFiles((files) => this.#conversation?.addFiles(files)),
    );
  }

  /** The open conversation, for shortcuts. */
  get conversation(): Conversation | null {
    return this.#conversation;
  }

  /** The address of a place, or of a message in it. */
  addressOf(place: PlaceKey | null, seq?: number): string {
    return ['#', this.session.me.id, place, seq].filter((part) => part != null).join('/');
  }

  go(place: string | null): void {
    location.hash = this.addressOf(place as PlaceKey | null);
  }

  /** Shows a place; null: none. */
  show(key: string | null, seq: number | null): void {
    const place = this.session.places.find(key);
    this.node.classList.toggle('has-open', key !== null);
    if (place === undefined) this.#showNothing(key);
    else if (this.#conversation?.key !== place.key) this.#open(place);
    this.#skip.hidden = this.#conversation === null;
    if (seq !== null) this.#conversation?.toNumber(seq);
  }

  leave(): void {
    location.hash = '#/';
  }

  /** Opens or closes the inspector. */
  inspect(): void {
    if (!this.#inspector.hidden) {
      this.#closeInspector?.();
      this.#closeInspector = null;
      this.#inspector.hidden = true;
      this.#inspector.replaceChildren();
      return;
    }
    const container = el('div', { class: 'inspector-body' });
    const close = el(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': words().settings.close },
      icon('close'),
    );
    close.addEventListener('click', () => this.inspect());
    this.#inspector.replaceChildren(
      el('div', { class: 'dialog-head' }, el('h2', {}, words().inspector.title), close),
      container,
    );
    this.#inspector.hidden = false;
    withPart(inspector, ({ openInspector }) => {
      if (container.isConnected) this.#closeInspector = openInspector(container, this.session.line);
    });
  }

  /** Opens the search for places. */
  find(): void {
    const { places, chat } = this.session;
    const items = places.list.map(({ key, title, community }) => ({
      key,
      title,
      about: community ?? '',
      unread: chat.unread.getSnapshot().get(key)?.count ?? 0,
    }));
    withPart(later.switcher, ({ openSwitcher }) => openSwitcher(items, (key) => this.go(key)));
  }

  end(): void {
    this.#closeConversation();
    this.#closeInspector?.();
    this.#places.end();
    this.#ends.end();
    this.session.end();
    this.node.remove();
  }

  /** The card comes with the first voice channel, and then hides and shows itself. */
  #showVoice(): void {
    if (this.session.voice.value === null) return;
    withPart(later.voice, ({ VoiceCard }) => {
      if (this.#places.node.querySelector('#voice-card') !== null) return;
      const card = new VoiceCard(this.session);
      this.#ends.add(() => card.end());
      this.#places.node.append(card.node);
    });
  }

  #openSettings(): void {
    withPart(later.settings, ({ openSettings }) =>
      openSettings({ leave: () => this.leave(), inspect: () => this.inspect() }),
    );
  }

  #open(place: PlaceInfo): void {
    this.#closeConversation();
    this.session.open.set(place.key);
    this.#last = place;
    const conversation = new Conversation(this.session, place, {
      home: this.addressOf(null),
      permalink: (key, seq) => new URL(this.addressOf(key, seq), location.href).href,
    });
    this.#conversation = conversation;
    this.#places.node.after(conversation.main, conversation.people.node);
    conversation.placed();
    if (!matchMedia('(pointer: coarse)').matches) conversation.focusComposer();
  }

  #showNothing(key: string | null): void {
    this.#closeConversation();
    this.session.open.set(null);
    const text = words().places;
    const isRefused = key !== null && this.session.places.isConfirmed;
    const isWaiting = key !== null && !isRefused;
    this.#nothing = el(
      'main',
      { id: 'talk', class: 'nothing' },
      el('h1', {}, isWaiting ? words().messages.loading : isRefused ? text.forbidden : text.pick),
      el('p', {}, isWaiting ? '' : isRefused ? text.forbiddenAbout : text.pickAbout),
      isRefused ? el('p', {}, el('a', { href: this.addressOf(null) }, text.back)) : null,
    );
    this.#places.node.after(this.#nothing);
    // After the choice of a user, the keyboard goes on in the list.
    if (document.activeElement === document.body) {
      this.#places.node.querySelector<HTMLElement>('a.place')?.focus({ preventScroll: true });
    }
  }

  /** A place may have come, or gone while it is open. */
  #placesChanged(): void {
    const [, , key = null, seq] = location.hash.split('/');
    const { places } = this.session;
    if (this.#conversation !== null && places.find(this.#conversation.key) === undefined) {
      notice(words().places.removed(this.#last?.title ?? ''));
      this.go(null);
    } else if (this.#conversation === null && key !== null) {
      this.show(key, seq === undefined ? null : Number(seq));
    }
  }

  #closeConversation(): void {
    this.#nothing?.remove();
    this.#nothing = null;
    this.#conversation?.end();
    this.#conversation?.main.remove();
    this.#conversation?.people.node.remove();
    this.#conversation = null;
  }
}
