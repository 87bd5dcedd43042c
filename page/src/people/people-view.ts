import type { PlaceInfo } from '../state/place-book.ts';
import type { Session } from '../state/session.ts';
import { Ends, follow } from '../state/signal.ts';
import { avatar } from '../support/avatar.ts';
import { attribute, el, KeyedList, setText, type View } from '../support/dom.ts';
import { words } from '../words/index.ts';

interface Member {
  readonly id: number;
  readonly name: string;
  /** null: not known, because there is no connection. */
  readonly isOnline: boolean | null;
}

/** The members of a place, and who of them is online. */
export class PeopleView {
  readonly node: HTMLElement;
  readonly #session: Session;
  readonly #place: PlaceInfo;
  readonly #ends = new Ends();
  readonly #title = el('h2', {});
  readonly #list: KeyedList<Member>;
  #known = new Map<number, Member>();

  constructor(session: Session, place: PlaceInfo) {
    this.#session = session;
    this.#place = place;
    const list = el('ul', {});
    this.#list = new KeyedList<Member>(
      list,
      ({ id }) => String(id),
      ({ id }) => new MemberRow(session, id),
    );
    this.node = el('aside', { id: 'people', 'aria-label': words().people.title }, this.#title, list);
    const presence = session.chat.presence(place.key);
    this.#ends.add(follow(() => this.#show(presence.getSnapshot()), presence, session.chat.state, session.places.all));
  }

  end(): void {
    this.#ends.end();
  }

  #show(online: ReadonlySet<number>): void {
    const { me, people, chat, places } = this.#session;
    const isConnected = chat.state.getSnapshot().kind === 'online';
    const ids = places.find(this.#place.key)?.members ?? [...new Set([me.id, ...online])];
    const members = ids.map((id): Member => {
      const isOnline = isConnected ? online.has(id) || id === me.id : null;
      const member = { id, name: people.get(id).name, isOnline };
      const before = this.#known.get(id);
      return before?.isOnline === isOnline && before.name === member.name ? before : member;
    });
    this.#known = new Map(members.map((member) => [member.id, member]));
    members.sort((a, b) => Number(b.isOnline) - Number(a.isOnline) || a.name.localeCompare(b.name));
    this.#list.show(members);
    const count = members.filter(({ isOnline }) => isOnline).length;
    setText(
      this.#title,
      isConnected ? words().people.count(count, members.length) : words().people.members(members.length),
    );
  }
}

class MemberRow implements View<Member> {
  readonly node: HTMLElement;
  readonly #dot = el('span', { class: 'dot', role: 'img' });
  readonly #name = el('span', { class: 'title', dir: 'auto' });

  constructor(session: Session, id: number) {
    const { name, image } = session.people.get(id);
    const own = id === session.me.id ? el('span', { class: 'note' }, words().people.you) : null;
    this.node = el('li', {}, el('span', { class: 'with-dot' }, avatar(id, name, image), this.#dot), this.#name, own);
  }

  update({ name, isOnline }: Member): void {
    setText(this.#name, name);
    const text = words().people;
    this.node.classList.toggle('away', isOnline !== true);
    this.#dot.className = `dot ${isOnline === null ? 'unknown' : isOnline ? 'online' : 'offline'}`;
    attribute(this.#dot, 'aria-label', isOnline === null ? text.unknownState : isOnline ? text.online : text.offline);
  }
}
