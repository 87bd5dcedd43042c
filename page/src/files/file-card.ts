import type { Entry } from 'chat-server-client';
import { el } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { sizeText } from '../support/times.ts';
import type { MessageActions } from '../timeline/actions.ts';
import { words } from '../words/index.ts';

const MAX_WIDTH = 420;
const MAX_HEIGHT = 320;
const MIN_SIDE = 48;

/** The file of a message: a picture, a video, or a card with name and size. */
export class FileCard {
  readonly node = el('div', { class: 'file' });
  readonly #actions: MessageActions;
  #shown = '';

  constructor(actions: MessageActions) {
    this.#actions = actions;
  }

  update(entry: Entry): void {
    const { file } = entry;
    if (file === null) return;
    const preview = this.#actions.previewOf(entry);
    // The own picture stays on the screen when its upload ends.
    const source = preview ?? file.thumbnail ?? file.url;
    const signature = JSON.stringify([file.kind, source, file.url === null, file.name, file.size]);
    if (signature === this.#shown) return;
    this.#shown = signature;
    if (source === null || file.kind === 'file') this.node.replaceChildren(this.#card(entry));
    else if (file.kind === 'video') this.node.replaceChildren(this.#video(entry, preview ?? file.url ?? ''));
    else this.node.replaceChildren(this.#picture(entry, source));
  }

  /** The next update shows the file anew, also with the same link. */
  #failed(): void {
    this.#shown = '';
    this.#actions.fileFailed();
  }

  #card({ file }: Entry): HTMLElement {
    const name = file?.name ?? words().files.unnamed;
    const about = el(
      'span',
      { class: 'card-text' },
      el('span', { class: 'card-name', dir: 'auto' }, name),
      el('span', { class: 'card-size' }, file?.size == null ? '' : sizeText(file.size)),
    );
    if (file?.url == null) return el('div', { class: 'card' }, icon('file'), about);
    return el(
      'a',
      { class: 'card', href: file.url, target: '_blank', rel: 'noopener', 'aria-label': words().files.download(name) },
      icon('file'),
      about,
      icon('down'),
    );
  }

  #picture(entry: Entry, source: string): HTMLElement {
    const { file, name } = entry;
    const picture = el('img', { src: source, alt: words().files.picture(name), decoding: 'async' });
    const size = shownSize(file?.width ?? null, file?.height ?? null);
    if (size !== null) {
      picture.width = size.width;
      picture.height = size.height;
    }
    picture.addEventListener('error', () => this.#failed());
    const open = () => this.#actions.openPicture(entry);
    return el(
      'figure',
      {},
      el(
        'button',
        { type: 'button', class: 'picture', tabindex: -1, title: words().files.open, onclick: open },
        picture,
      ),
      file?.name == null ? null : el('figcaption', { dir: 'auto' }, captionOf(file.name, file.size)),
    );
  }

  #video(entry: Entry, source: string): HTMLElement {
    const { file, name } = entry;
    const video = el('video', {
      src: source,
      controls: true,
      preload: 'metadata',
      'aria-label': words().files.video(name),
    });
    const size = shownSize(file?.width ?? null, file?.height ?? null);
    if (size !== null) {
      video.width = size.width;
      video.height = size.height;
    }
    if (file?.thumbnail != null) video.poster = file.thumbnail;
    video.addEventListener('error', () => this.#failed());
    return el('figure', {}, video, file?.name == null ? null : el('figcaption', {}, captionOf(file.name, file.size)));
  }
}

function captionOf(name: string, size: number | null): string {
  return size === null ? name : `${name} · ${sizeText(size)}`;
}

/** The size of a picture in the list. A long ribbon is cut, not shrunk to a line. */
function shownSize(width: number | null, height: number | null): { width: number; height: number } | null {
  if (width === null || height === null || width <= 0 || height <= 0) return null;
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return {
    width: Math.max(MIN_SIDE, Math.round(width * scale)),
    height: Math.max(MIN_SIDE, Math.round(height * scale)),
  };
}
