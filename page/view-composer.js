import { byId } from './dom.js';
import { readStored, writeStored } from './stored.js';

/** @typedef {import('./api.js').Entry} Entry */
/** @typedef {import('./chat.js').Chat} Chat */
/**
 * The effect of the next Enter. `draft` is the text from before the edit.
 * @typedef {{ kind: 'new' } | { kind: 'reply', entry: Entry } | { kind: 'edit', entry: Entry,
 * draft: string }} Mode
 */

const form = byId('composer', HTMLFormElement);
const text = byId('text', HTMLTextAreaElement);
const files = byId('files', HTMLInputElement);
const mode = byId('mode', HTMLElement);
const modeText = byId('mode-text', HTMLElement);
const cancel = byId('cancel-mode', HTMLButtonElement);
const send = byId('send', HTMLButtonElement);
const talk = byId('talk', HTMLElement);
const drop = byId('drop', HTMLElement);
const MAX_TEXT_PX = 180;

/** The form for messages, replies, edits and files. It keeps an unsent draft for each place. */
export class Composer {
  /** @type {Chat | null} */
  #chat = null;
  #place = '';
  /** @type {Mode} */
  #mode = { kind: 'new' };
  #onSent;

  /** @param {() => void} onSent */
  constructor(onSent) {
    this.#onSent = onSent;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    text.addEventListener('keydown', (event) => this.#key(event));
    text.addEventListener('input', () => this.#typed());
    text.addEventListener('paste', (event) => this.#take(event, event.clipboardData));
    cancel.addEventListener('click', () => this.#leaveMode());
    files.addEventListener('change', () => {
      this.#upload(files.files);
      files.value = '';
    });
    talk.addEventListener('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files') || this.#chat?.open == null) return;
      event.preventDefault();
      drop.classList.add('shown');
    });
    talk.addEventListener('dragleave', (event) => {
      if (!(event.relatedTarget instanceof Node && talk.contains(event.relatedTarget))) drop.classList.remove('shown');
    });
    talk.addEventListener('drop', (event) => {
      drop.classList.remove('shown');
      this.#take(event, event.dataTransfer);
    });
  }

  /** @param {Chat} chat */
  show(chat) {
    this.#chat = chat;
    const place = `${chat.me.id}-${chat.open?.key}`;
    if (place === this.#place) return;
    this.#place = place;
    this.#mode = { kind: 'new' };
    this.#setText(readStored(this.#draftKey) ?? '');
    this.#showMode();
    text.placeholder = `Message ${chat.open?.title ?? ''}`;
    // On a phone the on-screen keyboard would cover the messages.
    if (chat.open !== null && matchMedia('(hover: hover)').matches) text.focus();
  }

  /** @param {Entry} entry */
  reply(entry) {
    this.#leaveMode();
    this.#mode = { kind: 'reply', entry };
    this.#showMode();
    text.focus();
  }

  /** @param {Entry} entry */
  edit(entry) {
    this.#leaveMode();
    this.#mode = { kind: 'edit', entry, draft: text.value };
    this.#setText(entry.message);
    this.#showMode();
    text.focus();
  }

  get #draftKey() {
    return `draft-${this.#place}`;
  }

  #send() {
    const content = text.value.trim();
    const chat = this.#chat;
    if (content === '' || chat === null) return;
    const current = this.#mode;
    if (current.kind === 'edit') {
      if (content !== current.entry.message) chat.edit(current.entry, content);
      this.#leaveMode();
      return;
    }
    this.#mode = { kind: 'new' };
    this.#setText('');
    writeStored(this.#draftKey, null);
    this.#showMode();
    chat.send(content, current.kind === 'reply' ? current.entry : null);
    this.#onSent();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While an input method composes, for example a Korean syllable, Enter ends the composition.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === 'Escape') {
      this.#leaveMode();
    } else if (event.key === 'ArrowUp' && text.value === '' && this.#mode.kind === 'new') {
      const isOwnText = (/** @type {Entry} */ { userId, fileType }) =>
        userId === this.#chat?.me.id && (fileType === null || fileType === 'reply');
      const last = this.#chat?.conversation?.entries.findLast(isOwnText);
      if (last === undefined) return;
      event.preventDefault();
      this.edit(last);
    }
  }

  #typed() {
    this.#fit();
    if (this.#mode.kind === 'edit') return;
    writeStored(this.#draftKey, text.value);
    if (text.value.trim() !== '') this.#chat?.types();
  }

  #leaveMode() {
    if (this.#mode.kind === 'edit') this.#setText(this.#mode.draft);
    this.#mode = { kind: 'new' };
    this.#showMode();
  }

  #showMode() {
    const current = this.#mode;
    mode.hidden = current.kind === 'new';
    send.textContent = current.kind === 'edit' ? 'Save' : 'Send';
    if (current.kind === 'reply') modeText.textContent = `Reply to ${current.entry.name}: ${summary(current.entry)}`;
    if (current.kind === 'edit') modeText.textContent = 'Editing your message';
  }

  /** @param {string} value */
  #setText(value) {
    text.value = value;
    this.#fit();
  }

  /** Makes the field as high as its text, up to a limit. */
  #fit() {
    text.style.height = 'auto';
    text.style.height = `${Math.min(text.scrollHeight + 2, MAX_TEXT_PX)}px`;
  }

  /** @param {Event} event @param {DataTransfer | null} transfer */
  #take(event, transfer) {
    if (transfer === null || transfer.files.length === 0) return;
    event.preventDefault();
    this.#upload(transfer.files);
  }

  /** @param {FileList | null} chosen */
  #upload(chosen) {
    const place = this.#chat?.open;
    if (chosen === null || place == null) return;
    this.#chat?.uploads.add(place, chosen);
    this.#onSent();
  }
}

/** @param {Entry} entry */
function summary({ fileType, message }) {
  return fileType === null || fileType === 'reply' ? message.slice(0, 120) : `[${fileType}]`;
}
