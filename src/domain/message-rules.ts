import { Refusal } from './errors.ts';
import type { UserId } from './ids.ts';
import { countChars, hasMoreCharsThan, isBlank } from './text.ts';

/** Characters of a user's name. */
export const MAX_NAME_CHARS = 200;
/** Characters of the address of a user's picture. */
export const MAX_PROFILE_IMAGE_CHARS = 4_096;

/** The name and picture that a client gives for its user. */
export interface ClaimedAuthor {
  readonly name: string | null;
  readonly profileImage: string | null;
}

/** The name of a user of whom only the id is known: `user 7`. */
export function nameOfId(userId: UserId): string {
  return `user ${userId}`;
}

/**
 * The name of an author whom no user service knows: the claimed name, otherwise the name in the
 * directory, otherwise a text like `user 7`. A name without a visible character is ignored. The
 * account in a token is not used as a name, since it is an e-mail address.
 */
export function nameOrId(claimed: string | null, known: string | null, userId: UserId): string {
  const name = [claimed, known].find((each) => each !== null && !isBlank(each));
  return name ?? nameOfId(userId);
}

/**
 * Checks the text of a message, a reply or an edit.
 * @throws Refusal `bad-input` for a text without a visible character, `too-large` for one with more
 * than `maxChars` characters
 */
export function checkContent(content: string, maxChars: number): void {
  if (isBlank(content)) throw new Refusal('bad-input', 'content has no visible character');
  checkLength('content', content, maxChars);
}

/** @throws Refusal `too-large` */
export function checkClaimedAuthor({ name, profileImage }: ClaimedAuthor): void {
  if (name !== null) checkLength('name', name, MAX_NAME_CHARS);
  if (profileImage !== null) checkLength('profileImage', profileImage, MAX_PROFILE_IMAGE_CHARS);
}

function checkLength(field: string, text: string, maxChars: number): void {
  if (!hasMoreCharsThan(text, maxChars)) return;
  const chars = grouped(countChars(text));
  throw new Refusal('too-large', `${field} has ${chars} characters; the limit is ${grouped(maxChars)}`);
}

/** 8312 as `8,312`. */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
