import type { Caller, UploadDetails } from '../../application/application.ts';
import { Refusal } from '../../domain/errors.ts';
import { isDimension, MAX_DIMENSION_PIXELS } from '../../domain/file.ts';
import { type CommunityId, parseClientId } from '../../domain/ids.ts';
import { checkNonce } from '../../domain/nonce.ts';
import { type ConversationKey, channelKey, roomKey } from '../../domain/place.ts';
import type { FileType } from '../../domain/stored-event.ts';

/**
 * The kind of place that a call uploads to: a direct room, or a channel of a community. The call
 * for channels also takes uploads to rooms, which say so in the field `type`: the phone client
 * sends all its uploads there.
 */
export type UploadKind = 'room' | 'channel';

export interface UploadPlace {
  readonly place: ConversationKey;
  /** Null for a room. */
  readonly communityId: CommunityId | null;
}

const KNOWN: ReadonlySet<string> = new Set([
  'userId',
  'name',
  'profileImage',
  'channelId',
  'communityId',
  'type',
  'fileType',
  'width',
  'height',
  'nonce',
]);

/** The text fields of an upload, checked as they arrive. */
export class UploadFields {
  readonly #kind: UploadKind;
  readonly #caller: Caller;
  readonly #values = new Map<string, string>();

  constructor(kind: UploadKind, caller: Caller) {
    this.#kind = kind;
    this.#caller = caller;
  }

  /**
   * Unknown fields are ignored.
   * @throws Refusal `bad-input`, `not-permitted` for another user's id
   */
  set(name: string, value: string): void {
    if (!KNOWN.has(name)) return;
    // The place is checked when it is first known. A second one must not replace it after the
    // check.
    if (this.#values.has(name)) throw new Refusal('bad-input', `${name} is given more than once`);
    this.#check(name, value);
    // A part may name a charset, such as UTF-16, in which a lone surrogate can be written.
    this.#values.set(name, value.toWellFormed());
  }

  /** The place of the upload; null until its fields have arrived. */
  get place(): UploadPlace | null {
    const channelId = parseClientId(this.#values.get('channelId'));
    if (channelId === null) return null;
    if (this.#isToRoom) return { place: roomKey(channelId), communityId: null };
    const communityId = parseClientId(this.#values.get('communityId'));
    return communityId === null ? null : { place: channelKey(channelId), communityId };
  }

  /**
   * All fields, when the form has been read to its end.
   * @throws Refusal `bad-input` that names every missing field
   */
  whole(): UploadDetails {
    const { place } = this;
    const fileType = fileTypeOf(this.#values.get('fileType'));
    if (place === null || fileType === null) throw new Refusal('bad-input', this.#missing());
    return {
      ...place,
      fileType,
      width: dimensionOf(this.#values.get('width')),
      height: dimensionOf(this.#values.get('height')),
      name: this.#values.get('name') || null,
      profileImage: this.#values.get('profileImage') || null,
      nonce: this.#values.get('nonce') ?? null,
    };
  }

  get #isToRoom(): boolean {
    return this.#kind === 'room' || this.#values.get('type') === 'direct';
  }

  #missing(): string {
    const needed = this.#isToRoom ? ['channelId', 'fileType'] : ['channelId', 'communityId', 'fileType'];
    const missing = needed.filter((name) => !this.#values.has(name));
    const last = missing.pop();
    return missing.length === 0 ? `${last} is missing` : `${missing.join(', ')} and ${last} are missing`;
  }

  #check(name: string, value: string): void {
    switch (name) {
      case 'userId':
        if (parseClientId(value) === null) throw bad(name, 'a positive integer');
        if (parseClientId(value) !== this.#caller.userId) {
          throw new Refusal('not-permitted', 'userId must be the id of the user of the token');
        }
        return;
      case 'channelId':
        if (parseClientId(value) === null) throw bad(name, 'a positive integer');
        return;
      case 'communityId':
        if (parseClientId(value) === null) throw bad(name, 'a positive integer');
        if (this.#kind === 'channel' && this.#isToRoom) throw notOfRoom();
        return;
      case 'type':
        if (this.#kind === 'room') {
          if (value !== 'direct') throw bad(name, 'direct');
          return;
        }
        if (value !== 'community' && value !== 'direct') throw bad(name, 'community or direct');
        if (value === 'direct' && this.#values.has('communityId')) throw notOfRoom();
        return;
      case 'fileType':
        if (fileTypeOf(value) === null) throw bad(name, 'image, video or file');
        return;
      case 'width':
      case 'height':
        if (!isUnset(value) && dimensionOf(value) === null) {
          throw bad(name, `an integer from 1 to ${MAX_DIMENSION_PIXELS}`);
        }
        return;
      case 'nonce':
        checkNonce(value);
        return;
    }
  }
}

/** The place must be certain, because it is checked before all fields have arrived. */
function notOfRoom(): Refusal {
  return new Refusal('bad-input', 'type must be community for an upload with a communityId');
}

function bad(name: string, allowed: string): Refusal {
  return new Refusal('bad-input', `${name} must be ${allowed}`);
}

/** True for the texts that JavaScript makes of a value that a client does not have. */
function isUnset(text: string): boolean {
  return text === '' || text === 'undefined' || text === 'null';
}

function dimensionOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return null;
  return isDimension(Number(text)) ? Number(text) : null;
}

function fileTypeOf(text: string | undefined): FileType | null {
  return text === 'image' || text === 'video' || text === 'file' ? text : null;
}
