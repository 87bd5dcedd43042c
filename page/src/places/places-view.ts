import type { CommunityInfo, PlaceInfo } from '../state/place-book.ts';
import type { Session } from '../state/session.ts';
import { Ends, follow } from '../state/signal.ts';
import { avatar } from '../support/avatar.ts';
import { attribute, el, KeyedList, setText, type View } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { words } from '../words/index.ts';
import { VoiceRow } from './voice-row.ts';

export interface PlacesParts {
  readonly addressOf: (place: PlaceInfo) => string;
  readonly find: () => void;
  readonly inspect: () => void;
  readonly settings: () => void;
}

/** The user's rooms and channels, with what is unread. Rows are kept: a click is never lost. */
export class PlacesView {
  readonly node: HTMLElement;
  readonly #session: Session;
  readonly #ends = new Ends();
  readonly #rooms: KeyedList<PlaceInfo>;
  readonly #communities: KeyedList<CommunityInfo>;
  readonly #roomsBox: HTMLElement;
  readonly #none = el('p', { class: 'plain', hidden: true }, words().places.none);

  constructor(session: Session, parts: PlacesParts) {
    this.#session = session;
    const text = words().places;
    const row = (place: PlaceInfo) => new PlaceRow(session, parts.addressOf(place), place, this.#ends);
    const rooms = el('ul', {});
    this.#rooms = new KeyedList(rooms, ({ key }) => key, row);
    this.#roomsBox = el('section', {}, el('h2', {}, text.direct), rooms);
    const communities = el('div', {});
    this.#communities = new KeyedList(
      communities,
      ({ id }) => String(id),
      () => new CommunitySection(row),
    );
    const find = el('button', { type: 'button', class: 'find', onclick: parts.find });
    find.append(icon('search'), el('span', {}, text.find), el('kbd', {}, 'Ctrl K'));
    this.node = el(
      'nav',
      { id: 'places', 'aria-label': text.title },
      this.#head(parts),
      find,
      el('div', { class: 'places-scroll' }, this.#roomsBox, communities, this.#none),
    );
    this.#ends.add(follow(() => this.#show(), session.places.all));
  }

  end(): void {
    this.#ends.end();
  }

  #show(): void {
    const { rooms, communities } = this.#session.places.all.value;
    this.#roomsBox.hidden = rooms.length === 0;
    this.#none.hidden = rooms.length + communities.length > 0;
    this.#rooms.show(rooms);
    this.#communities.show(communities);
  }

  #head(parts: PlacesParts): HTMLElement {
    const { me, chat } = this.#session;
    const dot = el('span', { class: 'dot', role: 'img' });
    this.#ends.add(
      follow(() => {
        const isOnline = chat.state.getSnapshot().kind === 'online';
        dot.classList.toggle('online', isOnline);
        attribute(dot, 'aria-label', isOnline ? words().status.online : words().status.notOnline);
      }, chat.state),
    );
    const settings = el(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': words().settings.title, onclick: parts.settings },
      icon('settings'),
    );
    const inspect = el(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': words().inspector.title, onclick: parts.inspect },
      icon('inspect'),
    );
    return el(
      'div',
      { class: 'me' },
      el('span', { class: 'with-dot' }, avatar(me.id, me.name, me.image), dot),
      el('strong', { dir: 'auto' }, me.name),
      inspect,
      settings,
    );
  }
}

class CommunitySection implements View<CommunityInfo> {
  readonly node: HTMLElement;
  readonly #title = el('h2', { dir: 'auto' });
  readonly #channels: KeyedList<PlaceInfo>;

  constructor(row: (place: PlaceInfo) => View<PlaceInfo>) {
    const list = el('ul', {});
    this.#channels = new KeyedList(list, ({ key }) => key, row);
    this.node = el('section', {}, this.#title, list);
  }

  update({ title, channels }: CommunityInfo): void {
    setText(this.#title, title);
    this.#channels.show(channels);
  }
}

/** One place of the list. */
class PlaceRow implements View<PlaceInfo> {
  readonly node: HTMLElement;
  readonly #session: Session;
  readonly #link: HTMLAnchorElement;
  readonly #title = el('span', { class: 'title', dir: 'auto' });
  readonly #badge = el('span', { class: 'badge', hidden: true });
  readonly #draft = el(
    'span',
    { class: 'draft', hidden: true, role: 'img', 'aria-label': words().places.draft },
    icon('edit'),
  );
  readonly #voice: VoiceRow | null;
  #place: PlaceInfo;

  constructor(session: Session, address: string, place: PlaceInfo, ends: Ends) {
    this.#session = session;
    this.#place = place;
    this.#link = el('a', { class: 'place', id: `place-${place.key}`, href: address });
    this.#link.append(this.#sign(), this.#title, this.#draft, this.#badge);
    this.#voice = place.communityId === null ? null : new VoiceRow(session, place, ends);
    this.node = el('li', {}, el('div', { class: 'row' }, this.#link, this.#voice?.button), this.#voice?.people);
    ends.add(follow(() => this.#show(), session.chat.unread, session.open, session.drafts.places));
  }

  update(place: PlaceInfo): void {
    this.#place = place;
    setText(this.#title, place.title);
    this.#voice?.update(place);
    this.#show();
  }

  #sign(): Node {
    const { kind, isPrivate, members, title } = this.#place;
    if (kind === 'channel') {
      const sign = el('span', { class: 'hash', 'aria-hidden': 'true' }, isPrivate ? icon('lock') : '#');
      return isPrivate
        ? el('span', { class: 'hash', role: 'img', 'aria-label': words().places.private }, icon('lock'))
        : sign;
    }
    const other = (members ?? []).find((id) => id !== this.#session.me.id);
    const isGroup = (members?.length ?? 0) > 2;
    const person = other === undefined ? null : this.#session.people.get(other);
    if (isGroup || person === null) return el('span', { class: 'avatar group', 'aria-hidden': 'true' }, icon('people'));
    return avatar(person.id, title, person.image);
  }

  #show(): void {
    const { chat, open, drafts } = this.#session;
    const { key } = this.#place;
    const count = chat.unread.getSnapshot().get(key)?.count ?? 0;
    const isOpen = open.value === key;
    this.#link.classList.toggle('open', isOpen);
    this.#link.classList.toggle('unread', count > 0);
    attribute(this.#link, 'aria-current', isOpen ? 'page' : null);
    this.#badge.hidden = count === 0;
    setText(this.#badge, count > 99 ? '99+' : String(count));
    attribute(this.#badge, 'role', 'img');
    attribute(this.#badge, 'aria-label', count === 0 ? null : words().places.unread(count));
    this.#draft.hidden = isOpen || !drafts.places.value.has(key);
  }
}
