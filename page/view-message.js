import { avatar, el } from './dom.js';

/** @typedef {import('./api.js').Entry} Entry */
/** @typedef {import('./outbox.js').Parcel} Parcel */
/** @typedef {import('./uploads.js').Upload} Upload */
/**
 * @typedef {{ onReply(entry: Entry): void, onEdit(entry: Entry): void, onDelete(entry: Entry): void
 * }} Actions
 */

const CONFIRM_MS = 4_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** Reads the time of a message, which is in UTC without a zone. @param {Entry} entry */
export function dateOf({ time }) {
  return new Date(`${time}Z`);
}

/**
 * @param {Entry} entry
 * @param {boolean} isFirst of a group of messages by one author
 * @param {boolean} isOwn
 * @param {Actions} actions
 */
export function messageItem(entry, isFirst, isOwn, actions) {
  const isText = entry.fileType === null || entry.fileType === 'reply';
  const date = dateOf(entry);
  return el(
    'li',
    { class: `message${isFirst ? ' first' : ''}${isOwn ? ' own' : ''}`, 'data-id': entry.id },
    isFirst ? avatar(entry.userId, entry.name) : el('span', { class: 'gap' }),
    el(
      'div',
      { class: 'said' },
      el(
        'p',
        { class: isFirst ? 'head' : 'head unseen' },
        el('strong', {}, entry.name),
        el('time', { datetime: date.toISOString(), title: whole.format(date) }, clock.format(date)),
      ),
      entry.fileType === 'reply' && quote(entry.parentName, entry.parentContent),
      isText ? textOf(entry) : fileOf(entry),
    ),
    el(
      'div',
      { class: 'actions' },
      button('Reply', entry, () => actions.onReply(entry)),
      isOwn && isText && button('Edit', entry, () => actions.onEdit(entry)),
      isOwn && deleteButton(entry, actions),
    ),
  );
}

/**
 * A message that the server has not shown yet.
 * @param {Parcel} parcel
 * @param {string} author
 * @param {{ retry(): void, discard(): void }} actions
 */
export function pendingItem(parcel, author, actions) {
  const { kind, body, state, reason } = parcel;
  return el(
    'li',
    { class: `message pending ${state}` },
    el('span', { class: 'gap' }),
    el(
      'div',
      { class: 'said' },
      el('p', { class: 'head unseen' }, el('strong', {}, author)),
      kind === 'reply' && quote(String(body.parentName), String(body.parentContent)),
      el('p', { class: 'text' }, String(body.content)),
      state === 'failed' ? failure(reason, actions) : el('p', { class: 'state' }, 'Sending…'),
    ),
  );
}

/**
 * A file that is being uploaded.
 * @param {Upload} upload
 * @param {{ retry(): void, discard(): void }} actions
 */
export function uploadItem({ file, share, state, reason }, actions) {
  const { name } = file;
  return el(
    'li',
    { class: `message pending ${state}` },
    el('span', { class: 'gap' }),
    el(
      'div',
      { class: 'said' },
      el('p', { class: 'text' }, name),
      state === 'failed'
        ? failure(reason, actions)
        : el(
            'p',
            { class: 'state' },
            el('progress', { max: 1, value: share, 'aria-label': `Upload of ${name}` }),
            reason !== '' && `Waiting: ${reason}`,
            el('button', { type: 'button', onclick: actions.discard }, 'Cancel'),
          ),
    ),
  );
}

/** @param {string | null} name @param {string | null} content */
function quote(name, content) {
  return el('blockquote', {}, name ? el('strong', {}, name) : null, name ? ' ' : null, fileNote(content ?? ''));
}

/**
 * The text of a quote. The link of a file is replaced, because it is not readable.
 * @param {string} content
 */
function fileNote(content) {
  return /^https?:\/\/\S*\/chat-server\/files\/\S+$/.test(content) ? 'a file' : content;
}

/** @param {Entry} entry */
function textOf({ message, edited }) {
  return el('p', { class: 'text' }, message, edited && el('span', { class: 'edited' }, ' (edited)'));
}

/** @param {Entry} entry */
function fileOf({ message, thumbnail, fileType, name }) {
  const link = safeLink(message);
  if (link === null) return el('p', { class: 'text' }, message);
  const attributes = { href: link, target: '_blank', rel: 'noopener noreferrer' };
  const onerror = (/** @type {Event} */ { currentTarget }) => {
    if (currentTarget instanceof HTMLElement)
      currentTarget.replaceWith('This file cannot be shown here. Open it in a new tab.');
  };
  if (fileType === 'image') {
    const image = el('img', { src: safeLink(thumbnail ?? '') ?? link, alt: `Image from ${name}`, onerror });
    return el('a', { class: 'shared', ...attributes }, image);
  }
  if (fileType === 'video') {
    return el('video', {
      class: 'shared',
      src: link,
      controls: true,
      preload: 'metadata',
      poster: safeLink(thumbnail ?? ''),
    });
  }
  return el('a', { class: 'shared file', ...attributes, download: '' }, 'Download the file');
}

/**
 * Returns a link only if it is http or https, because any user may have stored it.
 * @param {string} text
 */
function safeLink(text) {
  if (text === '' || !URL.canParse(text, location.href)) return null;
  const url = new URL(text, location.href);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
}

/** @param {string} what @param {Entry} entry @param {() => void} onclick */
function button(what, entry, onclick) {
  return el('button', { type: 'button', 'aria-label': `${what}: message of ${entry.name}`, onclick }, what);
}

/**
 * A button that deletes only after a second click.
 * @param {Entry} entry
 * @param {Actions} actions
 */
function deleteButton(entry, actions) {
  let isAsked = false;
  const deleting = button('Delete', entry, () => {
    if (isAsked) {
      actions.onDelete(entry);
      return;
    }
    isAsked = true;
    deleting.textContent = 'Really delete?';
    deleting.setAttribute('aria-label', 'Really delete?');
    setTimeout(() => {
      isAsked = false;
      deleting.textContent = 'Delete';
    }, CONFIRM_MS);
  });
  return deleting;
}

/** @param {string} reason @param {{ retry(): void, discard(): void }} actions */
function failure(reason, { retry, discard }) {
  return el(
    'p',
    { class: 'state' },
    `Not sent: ${reason} `,
    el('button', { type: 'button', onclick: retry }, 'Try again'),
    el('button', { type: 'button', onclick: discard }, 'Discard'),
  );
}
