import { arrange, byId, el } from './dom.js';
import { dateOf, messageItem, pendingItem, uploadItem } from './view-message.js';

/** @typedef {import('./api.js').Entry} Entry */
/** @typedef {import('./chat.js').Chat} Chat */
/** @typedef {import('./view-message.js').Actions} Actions */

const scroller = byId('messages', HTMLElement);
const list = byId('list', HTMLOListElement);
const older = byId('older', HTMLElement);
const toNewest = byId('to-newest', HTMLButtonElement);
/** Closer than this to the end counts as at the end. */
const NEAR_PX = 60;
/** Older messages are read when less than this is left above. */
const AHEAD_PX = 400;
const GROUP_MS = 5 * 60_000;
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });

/**
 * The list of messages. It follows new messages at the end, and keeps its position while the user
 * reads older ones.
 */
export class MessagesView {
  #actions;
  /** @type {Chat | null} */
  #chat = null;
  #place = '';
  #isAtEnd = true;
  /**
   * Items by key, with the data that they show, so that only changed items are rebuilt.
   * @type {Map<string, { shows: string, item: HTMLElement }>}
   */
  #items = new Map();
  #newest = '';

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    // This makes it scroll by keyboard in every browser.
    scroller.tabIndex = 0;
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    // Images get their height only when they are loaded.
    list.addEventListener('load', () => this.#keepEnd(), true);
    list.addEventListener('loadedmetadata', () => this.#keepEnd(), true);
    new ResizeObserver(() => this.#keepEnd()).observe(scroller);
    toNewest.addEventListener('click', () => this.toEnd());
  }

  toEnd() {
    this.#isAtEnd = true;
    toNewest.hidden = true;
    this.#keepEnd();
  }

  /** @param {Chat} chat */
  show(chat) {
    this.#chat = chat;
    const { conversation, open } = chat;
    const place = `${chat.me.id} ${open?.key}`;
    if (place !== this.#place) {
      this.#place = place;
      this.#items.clear();
      this.#newest = '';
      this.toEnd();
    }
    const anchors = this.#isAtEnd ? [] : this.#anchors();
    older.replaceChildren(...this.#olderNote(chat));
    arrange(list, this.#wanted(chat));
    const anchor = anchors.find(({ item }) => item.isConnected);
    if (anchor !== undefined) scroller.scrollTop += anchor.item.getBoundingClientRect().top - anchor.top;
    else this.#keepEnd();
    const newest = conversation?.entries.at(-1);
    if (newest !== undefined && newest.id !== this.#newest) {
      if (this.#newest !== '' && !this.#isAtEnd && newest.userId !== chat.me.id) toNewest.hidden = false;
      this.#newest = newest.id;
    }
    this.#askOlder();
  }

  /** @param {Chat} chat @returns {HTMLElement[]} */
  #wanted(chat) {
    const { conversation, open, outbox, uploads, me } = chat;
    if (conversation === undefined || open === null) return [];
    const before = this.#items;
    this.#items = new Map();
    /** @type {HTMLElement[]} */
    const wanted = [];
    const put = (/** @type {string} */ key, /** @type {unknown} */ shows, /** @type {() => HTMLElement} */ make) => {
      const text = JSON.stringify(shows);
      const known = before.get(key);
      const item = known?.shows === text ? known.item : make();
      this.#items.set(key, { shows: text, item });
      wanted.push(item);
    };
    /** @type {Entry | undefined} */
    let last;
    for (const entry of conversation.entries) {
      const day = dateOf(entry).toDateString();
      const isNewDay = last === undefined || dateOf(last).toDateString() !== day;
      const label = dayFormat.format(dateOf(entry));
      if (isNewDay) put(`day ${day}`, day, () => el('li', { class: 'day' }, el('span', {}, label)));
      const isFirst = isNewDay || last === undefined || !belongsTo(entry, last);
      put(entry.id, [entry, isFirst], () => messageItem(entry, isFirst, entry.userId === me.id, this.#actions));
      last = entry;
    }
    for (const parcel of outbox.unseen(open.key)) {
      const { nonce } = parcel;
      const actions = { retry: () => outbox.retry(nonce), discard: () => outbox.discard(nonce) };
      put(nonce, parcel, () => pendingItem(parcel, me.name, actions));
    }
    for (const upload of uploads.of(open.key)) {
      const { nonce, state, reason, share } = upload;
      const actions = { retry: () => uploads.retry(upload), discard: () => uploads.discard(upload) };
      put(nonce, [state, reason], () => uploadItem(upload, actions));
      const progress = this.#items.get(nonce)?.item.querySelector('progress');
      if (progress) progress.value = share;
    }
    return wanted;
  }

  /** @param {Chat} chat @returns {(string | HTMLElement)[]} */
  #olderNote({ conversation, open }) {
    if (conversation === undefined || open === null) return [];
    if (conversation.state === 'failed') {
      const onclick = () => this.#chat?.reload(open);
      return ['The messages could not be read. ', el('button', { type: 'button', onclick }, 'Try again')];
    }
    if (conversation.state !== 'loaded' || conversation.isLoadingOlder) return ['Loading…'];
    return conversation.isComplete ? ['This is the beginning.'] : [''];
  }

  #scrolled() {
    this.#isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    if (this.#isAtEnd) toNewest.hidden = true;
    this.#askOlder();
  }

  #askOlder() {
    const conversation = this.#chat?.conversation;
    if (conversation?.state !== 'loaded' || conversation.isComplete || conversation.isLoadingOlder) return;
    if (scroller.scrollTop < AHEAD_PX) this.#chat?.loadOlder();
  }

  #keepEnd() {
    if (this.#isAtEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  /**
   * The visible messages and their positions. Lines with a date are left out, because older
   * messages move them. There are several, because a message can be rebuilt.
   */
  #anchors() {
    const top = scroller.getBoundingClientRect().top;
    return [...list.children]
      .filter((item) => !item.classList.contains('day'))
      .map((item) => ({ item, top: item.getBoundingClientRect().top, bottom: item.getBoundingClientRect().bottom }))
      .filter(({ bottom }) => bottom > top);
  }
}

/** @param {Entry} entry @param {Entry} last */
function belongsTo(entry, last) {
  const isSoon = dateOf(entry).getTime() - dateOf(last).getTime() < GROUP_MS;
  return entry.userId === last.userId && entry.fileType !== 'reply' && isSoon;
}
