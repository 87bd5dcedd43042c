import type { Entry, Place } from 'chat-server-client';
import { notice } from '../shell/announcer.ts';
import { later, withPart } from '../shell/later.ts';
import type { TrayFile } from '../state/drafts.ts';
import type { PlaceInfo } from '../state/place-book.ts';
import type { Session } from '../state/session.ts';
import { el, setText } from '../support/dom.ts';
import { growingText } from '../support/growing-text.ts';
import { icon } from '../support/icons.ts';
import { words } from '../words/index.ts';

/** The server's limit, as the client has it: Unicode code points of a text. */
const MAX_CHARS = 8_000;
const WARN_FROM = 7_500;

export interface ComposerParts {
  /** Called when something was sent. */
  readonly sent: () => void;
  readonly editLast: () => void;
  readonly toNewest: () => void;
}

/** The field in which the user writes, with the files and the message to answer. */
export class Composer {
  readonly node: HTMLFormElement;
  readonly #session: Session;
  readonly #place: Place;
  readonly #parts: ComposerParts;
  readonly #field: HTMLTextAreaElement;
  readonly #reply = el('div', { id: 'mode', hidden: true });
  readonly #tray = el('div', { class: 'tray-box', hidden: true });
  readonly #count = el('p', { id: 'count', role: 'status', hidden: true });
  readonly #send: HTMLButtonElement;
  /** Choices of files that are being read. */
  #preparing = 0;
  #isToSend = false;

  constructor(session: Session, { key, title, kind }: PlaceInfo, place: Place, parts: ComposerParts) {
    this.#session = session;
    this.#place = place;
    this.#parts = parts;
    const text = words().composer;
    const { box, field } = growingText({
      id: 'text',
      'aria-label': text.label,
      'aria-describedby': 'count',
      placeholder: text.placeholder(kind === 'channel' ? `# ${title}` : title),
      dir: 'auto',
      enterkeyhint: isTouch() ? 'enter' : 'send',
    });
    this.#field = field;
    field.value = session.drafts.get(key).text;
    const input = el('input', { id: 'files', type: 'file', multiple: true, 'aria-label': text.attach });
    input.addEventListener('change', () => {
      this.addFiles([...(input.files ?? [])]);
      input.value = '';
    });
    const attach = el('label', { class: 'icon-button attach', title: text.attach }, input, icon('attach'));
    this.#send = el('button', { id: 'send', type: 'submit', 'aria-label': text.send, title: text.send }, icon('send'));
    const line = el('div', { class: 'line' }, attach, box, this.#send);
    this.node = el('form', { id: 'composer' }, this.#reply, this.#tray, line, this.#count);

    this.node.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    field.addEventListener('input', () => this.#typed());
    field.addEventListener('keydown', (event) => this.#pressed(event));
    field.addEventListener('paste', (event) => this.#pasted(event));
    // A press of the button must not take the focus: on a phone the keyboard would go.
    this.#send.addEventListener('pointerdown', (event) => event.preventDefault());
    this.#show();
  }

  focus(): void {
    this.#field.focus();
  }

  reply(entry: Entry): void {
    this.#session.drafts.set(this.#place.key, { reply: entry });
    this.#show();
    this.focus();
  }

  /** Puts a text that could not be saved behind what is there. */
  giveBack(text: string): void {
    const { value } = this.#field;
    this.#field.value = value.trim() === '' ? text : `${value}\n${text}`;
    this.#typed();
    this.focus();
  }

  /** Adds files to the tray. Those that cannot be sent are named. */
  addFiles(files: readonly File[]): void {
    this.#preparing += 1;
    withPart(later.prepare, ({ prepareFile }) => this.#prepare(files, prepareFile)).finally(() => {
      this.#preparing -= 1;
      if (this.#preparing > 0 || !this.#isToSend) return;
      this.#isToSend = false;
      this.#submit();
    });
  }

  async #prepare(files: readonly File[], prepareFile: (file: File) => Promise<TrayFile>): Promise<void> {
    const { drafts } = this.#session;
    for (const file of files) {
      try {
        const ready = await prepareFile(file);
        drafts.set(this.#place.key, { files: [...drafts.get(this.#place.key).files, ready] });
        this.#show();
      } catch (error) {
        notice((error as Error).message);
      }
    }
    this.focus();
  }

  #typed(): void {
    const text = this.#field.value;
    this.#session.drafts.set(this.#place.key, { text });
    if (text.trim() !== '') this.#place.typing();
    this.#showCount();
  }

  #pressed(event: KeyboardEvent): void {
    // Enter that ends the input of a syllable is not meant for the page.
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey && !isTouch()) {
      event.preventDefault();
      if (!event.repeat) this.#submit();
    } else if (event.key === 'Escape') {
      if (this.#draft.reply !== null) this.#cancelReply();
      else this.#parts.toNewest();
    } else if (event.key === 'ArrowUp' && this.#field.value === '') {
      event.preventDefault();
      this.#parts.editLast();
    }
  }

  /** A clipboard with a text and a picture of it, as spreadsheets give, means the text. */
  #pasted(event: ClipboardEvent): void {
    const { clipboardData } = event;
    const files = [...(clipboardData?.files ?? [])];
    if (files.length === 0 || clipboardData?.getData('text/plain') !== '') return;
    event.preventDefault();
    this.addFiles(files);
  }

  #submit(): void {
    const { key } = this.#place;
    // Files that are being read belong to what is sent.
    this.#isToSend = this.#preparing > 0;
    if (this.#isToSend) return;
    const { files, reply } = this.#draft;
    const text = this.#field.value;
    if (lengthOf(text) > MAX_CHARS || (text.trim() === '' && files.length === 0)) return;
    if (text.trim() !== '') {
      const sent = reply === null ? this.#place.send(text) : this.#place.reply(reply, text);
      // The entry shows a failure.
      sent.catch(() => {});
    }
    for (const file of files) this.#share(file);
    this.#field.value = '';
    this.#session.drafts.set(key, { text: '', reply: null, files: [] });
    this.#show();
    this.#parts.sent();
    this.focus();
  }

  #share({ data, name, width, height, thumbnail }: TrayFile): void {
    const nonce = crypto.randomUUID();
    if (/^(image|video)\//.test(data.type)) this.#session.previews.set(nonce, URL.createObjectURL(data));
    this.#place.share(data, { nonce, name, width, height, thumbnail }).catch(() => {});
  }

  #cancelReply(): void {
    this.#session.drafts.set(this.#place.key, { reply: null });
    this.#show();
    this.focus();
  }

  get #draft() {
    return this.#session.drafts.get(this.#place.key);
  }

  #show(): void {
    const { reply, files } = this.#draft;
    const text = words().composer;
    this.#reply.hidden = reply === null;
    if (reply !== null) {
      const cancel = () => this.#cancelReply();
      const said = reply.text === '' ? (reply.file?.name ?? '') : reply.text.split('\n', 1)[0];
      this.#reply.replaceChildren(
        icon('reply'),
        el('span', { id: 'mode-text', dir: 'auto' }, text.replyTo(reply.name, said ?? '')),
        el(
          'button',
          { type: 'button', class: 'icon-button', 'aria-label': text.cancelReply, onclick: cancel },
          icon('close'),
        ),
      );
    }
    this.#tray.hidden = files.length === 0;
    this.#tray.replaceChildren();
    if (files.length > 0) withPart(later.tray, (part) => this.#showTray(part));
    this.#showCount();
  }

  #showTray({ fileTray }: typeof import('./tray.ts')): void {
    const { files } = this.#draft;
    const remove = (file: TrayFile) => {
      this.#session.drafts.set(this.#place.key, { files: this.#draft.files.filter((each) => each !== file) });
      this.#show();
      this.focus();
    };
    this.#tray.replaceChildren(...(files.length === 0 ? [] : [fileTray(files, remove)]));
  }

  #showCount(): void {
    const text = words().composer;
    const length = lengthOf(this.#field.value);
    const isOver = length > MAX_CHARS;
    this.#count.hidden = length < WARN_FROM;
    this.#count.classList.toggle('bad', isOver);
    this.#send.disabled = isOver;
    if (!isOver) {
      setText(this.#count, this.#count.hidden ? '' : text.left(MAX_CHARS - length));
      return;
    }
    this.#count.replaceChildren(
      el('span', {}, text.over(length - MAX_CHARS)),
      ' ',
      el('button', { type: 'button', class: 'link', onclick: () => this.#asFile() }, text.asFile),
    );
  }

  /** A text that is too long becomes a file in the tray. */
  #asFile(): void {
    const file = new File([this.#field.value], 'message.txt', { type: 'text/plain' });
    this.#field.value = '';
    this.#typed();
    this.addFiles([file]);
  }
}

/** true: Enter makes a new line, because there is no Shift. */
function isTouch(): boolean {
  return matchMedia('(pointer: coarse)').matches;
}

function lengthOf(text: string): number {
  return text.length <= MAX_CHARS / 2 ? text.length : [...text].length;
}
