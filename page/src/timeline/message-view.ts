import type { Entry } from 'chat-server-client';
import { FileCard } from '../files/file-card.ts';
import { avatar } from '../support/avatar.ts';
import { timeOf } from '../support/clock.ts';
import { attribute, el, type View } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { fullTime, shortTime } from '../support/times.ts';
import { isOnlyEmoji, renderText } from '../text/render.ts';
import { words } from '../words/index.ts';
import type { MessageActions } from './actions.ts';
import { messageEditor } from './editor.ts';
import type { MessageRow } from './rows.ts';

/** Longer texts are shown in part at first. */
const LONG_LINES = 20;
const LONG_CHARS = 1_600;

/** One message. Only the parts that change are drawn again. */
export class MessageView implements View<MessageRow> {
  readonly node = el('li', { tabindex: -1 });
  readonly #actions: MessageActions;
  readonly #gutter = el('div', { class: 'gutter' });
  readonly #body = el('div', { class: 'body' });
  readonly #parts = new Map<string, { signature: string; node: Element }>();
  #file: FileCard | null = null;
  #row: MessageRow | null = null;
  #isWhole = false;

  constructor(actions: MessageActions) {
    this.#actions = actions;
    this.node.append(this.#gutter, this.#body);
  }

  get row(): MessageRow | null {
    return this.#row;
  }

  update(row: MessageRow): void {
    this.#row = row;
    const { entry, isHead, isOwn, isRemoving, isEditing } = row;
    const state = entry.state === 'stored' ? '' : ` ${entry.state} ${entry.action}`;
    this.node.className = `message${isHead ? ' head' : ''}${isOwn ? ' own' : ''}${state}${isRemoving ? ' removing' : ''}`;
    attribute(this.node, 'data-id', entry.id);
    attribute(this.node, 'data-key', entry.key);
    attribute(this.node, 'data-seq', entry.seq);
    const at = timeOf(entry);
    this.#part(this.#gutter, 'gutter', `${isHead} ${entry.name} ${entry.image} ${at}`, () =>
      isHead ? avatar(entry.userId, entry.name, entry.image) : timeElement(at, 'side-time'),
    );
    this.#part(this.#body, 'head', isHead ? `${entry.name} ${at}` : '', () =>
      el('div', { class: 'by' }, el('span', { class: 'author', dir: 'auto' }, entry.name), timeElement(at, 'time')),
    );
    const { parent } = entry;
    this.#part(this.#body, 'quote', parent === null ? '' : JSON.stringify(parent), () => this.#quote(entry));
    if (isEditing) {
      this.#part(this.#body, 'text', '', () => null);
      this.#part(this.#body, 'editor', 'open', () => messageEditor(entry, this.#actions));
    } else {
      this.#part(this.#body, 'editor', '', () => null);
      const signature =
        entry.text === '' && entry.file !== null ? '' : `${entry.edited} ${this.#isWhole} ${entry.text}`;
      this.#part(this.#body, 'text', signature, () => this.#text(entry));
    }
    this.#showFile(entry);
    const { error, progress, action } = entry;
    const isOverwriting = isEditing && entry.text !== this.#actions.editBase(entry);
    const facts = [entry.state, action, error?.message, progress, isRemoving, isOverwriting, row.isOnline];
    const isPlain = entry.state === 'stored' && !isRemoving && !isOverwriting;
    this.#part(this.#body, 'status', isPlain ? '' : JSON.stringify(facts), () => {
      if (isRemoving) return this.#removed(entry);
      return isOverwriting ? el('p', { class: 'state bad' }, words().editing.changed) : this.#status(row);
    });
    this.#part(this.#body, 'mark', isOwn && entry.state !== 'failed' ? entry.state : '', () => mark(entry));
  }

  /** Puts a part in its place, or takes it away, where its signature has changed. */
  #part(parent: Element, name: string, signature: string, make: () => Element | null): void {
    const known = this.#parts.get(name);
    if ((known?.signature ?? '') === signature) return;
    const node = signature === '' ? null : make();
    if (node === null) {
      known?.node.remove();
      this.#parts.delete(name);
      return;
    }
    node.setAttribute('data-part', name);
    if (known !== undefined) known.node.replaceWith(node);
    else {
      const after = [...parent.children].find((each) => orderOf(each) > orderOf(node));
      parent.insertBefore(node, after ?? null);
    }
    this.#parts.set(name, { signature, node });
  }

  #quote(entry: Entry): Element {
    const { parent } = entry;
    if (parent === null || parent.id === null) {
      // A parent that waits itself has no id yet. A deleted one has no name either.
      const isWaiting = parent !== null && parent.name !== '';
      const text = isWaiting ? parent.text : words().messages.deletedParent;
      const author = el('strong', {}, isWaiting ? parent.name : '');
      return el('blockquote', { class: 'quote' }, icon('reply'), author, el('span', { dir: 'auto' }, text));
    }
    const { name, text } = parent;
    return el(
      'blockquote',
      { class: 'quote' },
      icon('reply'),
      el(
        'button',
        {
          type: 'button',
          tabindex: -1,
          title: words().messages.jumpToParent,
          onclick: () => this.#actions.jumpToParent(entry),
        },
        el('strong', { dir: 'auto' }, name),
        ' ',
        el('span', { dir: 'auto' }, firstLine(text)),
      ),
    );
  }

  #text(entry: Entry): Element {
    const { text, edited, key } = entry;
    const isLong = text.length > LONG_CHARS || text.split('\n').length > LONG_LINES;
    const content = el('div', { class: 'text', dir: 'auto', id: `text-${key}` }, ...renderText(text));
    if (isOnlyEmoji(text)) content.classList.add('big');
    if (edited) content.append(el('span', { class: 'edited' }, ` ${words().messages.edited}`));
    if (!isLong) return content;
    if (!this.#isWhole) content.classList.add('cut');
    const toggle = () => {
      this.#isWhole = !this.#isWhole;
      if (this.#row !== null) this.update(this.#row);
    };
    const label = this.#isWhole ? words().messages.showLess : words().messages.showMore;
    return el(
      'div',
      {},
      content,
      el('button', { type: 'button', class: 'link', tabindex: -1, onclick: toggle }, label),
    );
  }

  #showFile(entry: Entry): void {
    if (entry.file === null) {
      this.#file?.node.remove();
      this.#file = null;
      return;
    }
    if (this.#file === null) {
      this.#file = new FileCard(this.#actions);
      this.#file.node.setAttribute('data-part', 'file');
      const after = [...this.#body.children].find((each) => orderOf(each) > orderOf(this.#file?.node as Element));
      this.#body.insertBefore(this.#file.node, after ?? null);
    }
    this.#file.update(entry);
  }

  #removed(entry: Entry): Element {
    const undo = el('button', { type: 'button', class: 'link undo', onclick: () => this.#actions.undoRemove(entry) });
    undo.append(words().messages.undo);
    return el('p', { class: 'state' }, icon('trash'), words().messages.removed, ' ', undo);
  }

  #status({ entry, isOnline }: MessageRow): Element {
    const text = words().messages;
    const { action, state, error, progress } = entry;
    const discard = () => this.#actions.discard(entry);
    if (state === 'failed') {
      const say = { create: text.notSent, edit: text.notEdited, delete: text.notDeleted }[action ?? 'create'];
      return el(
        'p',
        { class: 'state bad' },
        icon('alert'),
        el('span', {}, say(error?.message ?? '')),
        button(text.retry, () => this.#actions.retry(entry)),
        button(text.discard, discard),
      );
    }
    const doing = { create: text.sending, edit: text.savingEdit, delete: text.deleting }[action ?? 'create'];
    const isUploading = progress !== null && progress > 0;
    const why = error === null ? doing : `${doing} ${error.message}`;
    const label = isUploading ? words().files.uploading(Math.floor(progress * 100)) : isOnline ? why : text.waiting;
    // Most messages are stored before anybody could read this, so it fades in late.
    return el(
      'p',
      { class: `state${isOnline && !isUploading ? ' late' : ''}` },
      isUploading ? el('progress', { max: 1, value: progress, 'aria-label': label }) : null,
      el('span', {}, label),
      button(text.cancel, discard),
    );
  }
}

const ORDER = ['head', 'quote', 'text', 'editor', 'file', 'status', 'mark'];

function orderOf(node: Element): number {
  return ORDER.indexOf(node.getAttribute('data-part') ?? '');
}

function mark({ state }: Entry): Element {
  const label = state === 'stored' ? words().messages.sent : words().messages.sending;
  return el(
    'span',
    { class: 'mark', role: 'img', 'aria-label': label, title: label },
    icon(state === 'stored' ? 'check' : 'clock'),
  );
}

function button(label: string, press: () => void): HTMLButtonElement {
  return el('button', { type: 'button', class: 'link', onclick: press }, label);
}

function timeElement(at: number, className: string): HTMLElement {
  const iso = Number.isNaN(at) ? null : new Date(at).toISOString();
  return el('time', { class: className, datetime: iso, title: fullTime(at) }, shortTime(at));
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 140 ? `${line.slice(0, 140)}…` : line;
}
