import { Refused } from './refused.js';

/**
 * A file that is being uploaded.
 * @typedef {object} Upload
 * @property {string} nonce
 * @property {import('./world.js').Place} place
 * @property {File} file
 * @property {number} share from 0 to 1
 * @property {'waiting' | 'sending' | 'failed'} state
 * @property {string} reason
 * @property {AbortController} abort
 */

const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'];
const VIDEOS = ['video/mp4', 'video/webm', 'video/ogg'];
const RETRY_MS = 3_000;

/** Uploads files one by one. An upload is repeated while the server cannot be reached. */
export class Uploads {
  /** @type {Upload[]} */
  #items = [];
  #api;
  #me;
  #onChange;
  #isSending = false;

  /**
   * @param {import('./api.js').Api} api
   * @param {{ id: number, name: string, image: string | null }} me
   * @param {() => void} onChange
   */
  constructor(api, me, onChange) {
    this.#api = api;
    this.#me = me;
    this.#onChange = onChange;
  }

  /** @param {import('./world.js').Place} place @param {Iterable<File>} files */
  add(place, files) {
    for (const file of files) {
      const nonce = crypto.randomUUID();
      this.#items.push({ nonce, place, file, share: 0, state: 'waiting', reason: '', abort: new AbortController() });
    }
    this.#onChange();
    this.#work();
  }

  /** @param {string} place */
  of(place) {
    return this.#items.filter((item) => item.place.key === place);
  }

  /** @param {Upload} upload */
  retry(upload) {
    upload.state = 'waiting';
    this.#onChange();
    this.#work();
  }

  /** @param {Upload} upload */
  discard(upload) {
    upload.abort.abort();
    this.#items = this.#items.filter((item) => item !== upload);
    this.#onChange();
  }

  async #work() {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await this.#send(next);
    this.#isSending = false;
  }

  #next() {
    return this.#items.find(({ state }) => state === 'waiting');
  }

  /** @param {Upload} upload */
  async #send(upload) {
    upload.state = 'sending';
    this.#onChange();
    const path = upload.place.kind === 'room' ? '/chat-server/file' : '/chat-server/channel/file';
    const onProgress = (/** @type {number} */ share) => {
      upload.share = share;
      this.#onChange();
    };
    try {
      await this.#api.upload(path, formOf(upload, this.#me), onProgress, upload.abort.signal);
      this.discard(upload);
    } catch (error) {
      if (upload.abort.signal.aborted) return;
      if (error instanceof Refused && !error.isTemporary) {
        upload.state = 'failed';
        upload.reason = error.message;
      } else {
        upload.reason = error instanceof Refused ? error.message : 'the server does not answer';
        this.#onChange();
        const pause = (error instanceof Refused ? error.retryAfterMs : undefined) ?? RETRY_MS;
        await new Promise((resolve) => setTimeout(resolve, pause));
        upload.state = 'waiting';
        upload.share = 0;
        upload.reason = '';
      }
      this.#onChange();
    }
  }
}

/** @param {Upload} upload @param {{ id: number, name: string, image: string | null }} me */
function formOf({ nonce, place, file }, me) {
  const form = new FormData();
  // The place comes before the file, so that the server can refuse the upload before it reads the
  // bytes.
  form.set('channelId', String(place.id));
  if (place.communityId !== null) form.set('communityId', String(place.communityId));
  form.set('type', place.kind === 'room' ? 'direct' : 'community');
  form.set('fileType', IMAGES.includes(file.type) ? 'image' : VIDEOS.includes(file.type) ? 'video' : 'file');
  form.set('userId', String(me.id));
  form.set('name', me.name);
  form.set('profileImage', me.image ?? '');
  form.set('nonce', nonce);
  form.set('image', file);
  return form;
}
