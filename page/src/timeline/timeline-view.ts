import type { Entry, Place, PlaceEvent } from 'chat-server-client';
import { announce, notice } from '../shell/announcer.ts';
import { later, withPart } from '../shell/later.ts';
import type { PlaceInfo } from '../state/place-book.ts';
import type { Session } from '../state/session.ts';
import { Ends, follow } from '../state/signal.ts';
import { el, KeyedList, setText, type View } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { dayLabel } from '../support/times.ts';
import { words } from '../words/index.ts';
import { type FreshCount, freshStart } from './fresh.ts';
import { ListKeys } from './list-keys.ts';
import { MessageView } from './message-view.ts';
import { ownActions, type TimelineParts } from './own-actions.ts';
import { type Row, RowMaker } from './rows.ts';
import { Scroller } from './scroller.ts';
import { TopLine, type TopState } from './top-line.ts';
import { EntryWindow } from './window.ts';

/** Nearer than this to an end, in pixels, more entries are shown. */
const NEAR = 700;
const FLASH_MS = 2_000;
/** Distance from the top at which a message is shown after a jump, as a part of the height. */
const JUMP_AT = 0.25;
/** Pages that are read to find a message. */
const MAX_PAGES = 40;
const RENEW_MS = 60_000;

/** The messages of one place. */
export class TimelineView {
  readonly node = el('div', { class: 'timeline' });
  readonly #session: Session;
  readonly #info: PlaceInfo;
  readonly #place: Place;
  readonly #giveBack: (text: string) => void;
  readonly #ends = new Ends();
  readonly #box: HTMLElement;
  readonly #list: HTMLElement;
  readonly #top = new TopLine(() => this.#readOlder());
  readonly #newest: HTMLButtonElement;
  readonly #first: HTMLButtonElement;
  readonly #rows = new RowMaker();
  readonly #window = new EntryWindow();
  readonly #scroller: Scroller;
  readonly #keyed: KeyedList<Row>;
  readonly #keys: ListKeys;
  /** Resolves when the first page is shown. */
  readonly #firstPage: Promise<void>;
  #gotFirstPage = () => {};
  #fresh: FreshCount | null = null;
  /** true: the reader has not scrolled since the place was opened. */
  #isUntouched = true;
  #isPlaced = false;
  #isReading = false;
  #hasFailed = false;
  #newCount = 0;
  #renewedAt = 0;

  constructor(session: Session, info: PlaceInfo, place: Place, parts: TimelineParts) {
    this.#session = session;
    this.#info = info;
    this.#place = place;
    this.#firstPage = new Promise((resolve) => {
      this.#gotFirstPage = resolve;
    });
    this.#giveBack = parts.giveBack;
    const text = words().messages;
    this.#list = el('ol', { id: 'list' });
    this.#box = el('div', { id: 'messages', role: 'region', 'aria-label': text.title }, this.#top.node, this.#list);
    this.#newest = el('button', { type: 'button', id: 'to-newest', class: 'pill', hidden: true });
    this.#first = el('button', { type: 'button', id: 'to-first', class: 'pill', hidden: true });
    this.node.append(this.#box, this.#first, this.#newest);
    this.#newest.addEventListener('click', async () => {
      await this.toNewest();
      // The button is gone. On a phone, the composer would open the keyboard.
      if (!matchMedia('(pointer: coarse)').matches) parts.focusComposer();
    });
    this.#first.addEventListener('click', () => this.#toFresh());

    const actions = ownActions(session, place, {
      ...parts,
      show: () => this.#show(),
      focusBeside: (entry) => this.#keys.focusBeside(entry.key),
      focus: (entry) => this.#keys.focus(entry.key),
      jump: (id) => this.#jumpToId(id),
      openPicture: (entry) => void this.#openPicture(entry),
      renewLinks: () => this.#renewLinks(),
      permalink: (entry) => parts.permalink(info.key, entry),
    });
    this.#keyed = new KeyedList<Row>(
      this.#list,
      ({ key }) => key,
      (row) => (row.kind === 'message' ? new MessageView(actions) : divider(row)),
    );
    this.#keys = new ListKeys(this.#box, this.#list, this.#keyed, actions, () => this.toNewest());
    this.#scroller = new Scroller(
      this.#box,
      this.#list,
      () => this.#moved(),
      () => this.#window.isOpen && !place.getSnapshot().hasNewer,
    );

    const { removals, chat, freshOf } = session;
    this.#fresh = freshOf.value?.place === info.key ? freshOf.value : null;
    this.#ends.add(
      place.onEvent((event) => this.#heard(event)),
      follow(() => this.#show(), place, removals.keys, chat.state),
      chat.state.subscribe(() => {
        if (chat.state.getSnapshot().kind === 'online') this.#hasFailed = false;
      }),
      freshOf.subscribe(() => this.#becameFresh()),
      () => this.#scroller.end(),
    );
  }

  end(): void {
    const { positions } = this.#session;
    const first = this.#scroller.isAtEnd && this.#window.isOpen ? null : this.#scroller.first;
    const key = first?.node.getAttribute('data-key');
    if (first !== null && key != null) positions.set(this.#info.key, { key, offset: first.top });
    else positions.delete(this.#info.key);
    this.#ends.end();
  }

  /** Shows the reader's place, once the view is in the document. */
  placed(): void {
    this.#show();
  }

  /** Goes to the newest message, also after a jump far back. */
  async toNewest(): Promise<void> {
    this.#newCount = 0;
    this.#isUntouched = false;
    if (this.#place.getSnapshot().hasNewer) await this.#place.reload();
    this.#window.toNewest();
    this.#show();
    this.#scroller.toEnd();
    this.#showPills();
  }

  /** Shows the message with a number, and reads around it where it is not loaded. */
  async toNumber(seq: number): Promise<void> {
    const isThere = () => this.#entries.find((entry) => entry.seq === seq);
    // The first page would take the place of the entries around the message.
    await this.#firstPage;
    if (isThere() === undefined) await this.#place.loadAround(seq);
    const entry = isThere() ?? this.#entries.find((each) => (each.seq ?? 0) >= seq);
    if (entry !== undefined) this.#jumpTo(entry);
    else notice(words().messages.parentMissing);
  }

  /** Opens the editor of the user's last message. */
  editLast(): void {
    this.#keys.editLast(this.#entries, this.#session.me.id);
  }

  focus(): void {
    this.#keys.focusLast();
  }

  get #entries(): readonly Entry[] {
    return this.#place.getSnapshot().entries;
  }

  get #pictures(): readonly Entry[] {
    return this.#entries.filter(({ file }) => file?.kind === 'image' && file.url !== null);
  }

  #show(): void {
    const { entries, status, newest } = this.#place.getSnapshot();
    const { me, people, removals, edits, chat } = this.#session;
    people.learn(entries);
    this.#giveBackEdits(entries);
    this.#restore(entries);
    const fresh = freshStart(entries, this.#fresh, me.id);
    const { start, end } = this.#window.range(entries, this.#scroller.isAtEnd);
    const rows = this.#rows.rows(entries, start, end, {
      me: me.id,
      freshFrom: fresh.key,
      removing: removals.keys.value,
      editing: new Set(edits.keys()),
      isOnline: chat.state.getSnapshot().kind === 'online',
    });
    this.#scroller.change(() => {
      this.#keyed.show(rows);
      this.#top.show(this.#topState(start));
    });
    this.#keys.refresh();
    this.#box.setAttribute('aria-busy', String(status === 'loading'));
    // Outside the document nothing has a size.
    if (!this.#isPlaced && newest !== null && this.node.isConnected) {
      this.#isPlaced = true;
      this.#placeReader(fresh.key);
      this.#gotFirstPage();
    }
    this.#showPills();
    // A first page that does not fill the screen.
    if (newest !== null && this.#box.scrollHeight <= this.#box.clientHeight) this.#more();
  }

  /** An edit whose message is gone has no place any more. */
  #giveBackEdits(entries: readonly Entry[]): void {
    const { edits } = this.#session;
    const { hasNewer, newest } = this.#place.getSnapshot();
    const oldest = entries.find(({ seq }) => seq !== null)?.seq ?? 0;
    if (hasNewer || newest === null) return;
    for (const [key, { place, seq, text }] of edits) {
      const isGone =
        place === this.#info.key && (seq ?? oldest) >= oldest && !entries.some((entry) => entry.key === key);
      if (!isGone) continue;
      edits.delete(key);
      this.#giveBack(text);
      notice(words().editing.gone);
    }
  }

  /** Before the first rows: where the reader was when the place was left. */
  #restore(entries: readonly Entry[]): void {
    if (this.#isPlaced) return;
    const position = this.#session.positions.get(this.#info.key);
    const index = position === undefined ? -1 : entries.findIndex(({ key }) => key === position.key);
    if (index !== -1) this.#window.around(entries, index);
  }

  #placeReader(freshKey: string | null): void {
    const position = this.#session.positions.get(this.#info.key);
    const node = position === undefined ? undefined : this.#keyed.get(position.key)?.node;
    if (position !== undefined && node !== undefined) this.#scroller.show(node, position.offset);
    else this.#toFreshLine(freshKey);
  }

  /** Shows the line of new messages, if it is above what can be seen. */
  #toFreshLine(freshKey: string | null): void {
    const line = this.#keyed.get('fresh')?.node;
    if (freshKey === null || line === undefined || this.#scroller.isSeen(line)) return;
    this.#scroller.show(line, this.#box.clientHeight * JUMP_AT);
  }

  #becameFresh(): void {
    const { freshOf } = this.#session;
    if (freshOf.value?.place !== this.#info.key) return;
    this.#fresh = freshOf.value;
    this.#show();
    if (this.#isUntouched && this.#scroller.isAtEnd)
      this.#toFreshLine(freshStart(this.#entries, this.#fresh, this.#session.me.id).key);
    this.#showPills();
  }

  #topState(start: number): TopState {
    const { entries, hasOlder, newest, status } = this.#place.getSnapshot();
    if (status === 'refused') return 'refused';
    if (newest === null) return status === 'loading' ? 'skeleton' : 'nothing';
    if (this.#hasFailed) return 'failed';
    if (this.#isReading) return 'reading';
    if (start > 0 || hasOlder) return 'nothing';
    return entries.length === 0 ? 'empty' : 'beginning';
  }

  #showPills(): void {
    const text = words().messages;
    const isFar = !this.#scroller.isAtEnd || !this.#window.isOpen || this.#place.getSnapshot().hasNewer;
    if (!isFar) this.#newCount = 0;
    this.#newest.hidden = !isFar || this.#place.getSnapshot().newest === null;
    const label = this.#newCount > 0 ? text.newCount(this.#newCount) : text.newest;
    if (this.#newest.dataset.label !== label) {
      this.#newest.dataset.label = label;
      this.#newest.replaceChildren(label, icon('down'));
    }
    const fresh = freshStart(this.#entries, this.#fresh, this.#session.me.id);
    const line = this.#keyed.get('fresh')?.node;
    const count = this.#fresh?.count ?? 0;
    const isAbove = fresh.isAbove || (fresh.key !== null && line === undefined && this.#isUntouched);
    this.#first.hidden = !isAbove || count === 0;
    if (!this.#first.hidden) setText(this.#first, text.firstUnread(count));
  }

  #heard(event: PlaceEvent): void {
    if (event.type !== 'created') return;
    const { entry } = event;
    if (entry.userId === this.#session.me.id) return;
    if (!this.#scroller.isAtEnd || !this.#window.isOpen) this.#newCount += 1;
    const text = words().messages;
    const said = entry.file === null ? entry.text : text.aFile(entry.file.name ?? '');
    announce(text.said(entry.name, said));
  }

  #moved(): void {
    this.#isUntouched = false;
    this.#more();
    this.#showPills();
  }

  /** Shows or reads more where the reader comes near an end. */
  #more(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    const snapshot = this.#place.getSnapshot();
    if (scrollTop < NEAR) {
      if (this.#window.up(snapshot.entries)) this.#show();
      else if (snapshot.hasOlder && !this.#hasFailed) this.#readOlder();
    } else if (scrollHeight - scrollTop - clientHeight < NEAR) {
      if (this.#window.down(snapshot.entries)) this.#show();
      else if (snapshot.hasNewer) this.#readNewer();
    }
  }

  async #readOlder(): Promise<void> {
    await this.#reading(() => this.#place.loadOlder());
    // The entries came with the place's own change, above those that are shown.
    this.#window.up(this.#entries);
    this.#show();
  }

  async #readNewer(): Promise<void> {
    await this.#reading(() => this.#place.loadNewer());
    this.#window.down(this.#entries);
    this.#show();
  }

  async #reading(work: () => Promise<void>): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#hasFailed = false;
    this.#show();
    try {
      await work();
    } catch {
      this.#hasFailed = true;
    }
    this.#isReading = false;
  }

  async #toFresh(): Promise<void> {
    const me = this.#session.me.id;
    for (let page = 0; page < MAX_PAGES && freshStart(this.#entries, this.#fresh, me).isAbove; page += 1) {
      if (!this.#place.getSnapshot().hasOlder) break;
      await this.#reading(() => this.#place.loadOlder());
      if (this.#hasFailed) return this.#show();
    }
    const { key } = freshStart(this.#entries, this.#fresh, me);
    const entry = this.#entries.find((each) => each.key === key);
    if (entry !== undefined) this.#jumpTo(entry, 'fresh');
  }

  async #jumpToId(id: string): Promise<void> {
    const find = () => this.#entries.find((entry) => entry.id === id);
    for (let page = 0; page < MAX_PAGES && find() === undefined; page += 1) {
      if (!this.#place.getSnapshot().hasOlder) break;
      await this.#reading(() => this.#place.loadOlder());
      if (this.#hasFailed) return this.#show();
    }
    const entry = find();
    if (entry === undefined) notice(words().messages.parentMissing);
    else this.#jumpTo(entry);
  }

  #jumpTo({ key }: Entry, rowKey = key): void {
    this.#isUntouched = false;
    this.#isPlaced = true;
    const index = this.#entries.findIndex((entry) => entry.key === key);
    if (this.#keyed.get(key) === undefined) this.#window.around(this.#entries, index);
    this.#show();
    const node = this.#keyed.get(rowKey)?.node ?? this.#keyed.get(key)?.node;
    if (node === undefined) return;
    this.#scroller.show(node, this.#box.clientHeight * JUMP_AT);
    this.#keys.focus(key);
    node.classList.add('flash');
    setTimeout(() => node.classList.remove('flash'), FLASH_MS);
    this.#showPills();
  }

  #openPicture(entry: Entry): void {
    withPart(later.lightbox, ({ openLightbox }) => openLightbox(this.#pictures, entry));
  }

  /** Links of files end after 24 hours. */
  #renewLinks(): void {
    if (Date.now() - this.#renewedAt < RENEW_MS) return;
    this.#renewedAt = Date.now();
    this.#place.reload();
  }
}

function divider(row: Exclude<Row, { readonly kind: 'message' }>): View<Row> {
  if (row.kind === 'fresh')
    return { node: el('li', { class: 'fresh' }, el('span', {}, words().messages.fresh)), update() {} };
  const label = el('span', {});
  return {
    node: el('li', { class: 'day' }, label),
    update: (day) => setText(label, day.kind === 'day' ? dayLabel(day.at) : ''),
  };
}
