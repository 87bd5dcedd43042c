import { Refusal } from './errors.ts';

/** UTF-16 code units of a user's name. */
export const MAX_NAME_CHARS = 200;
/** UTF-16 code units of the address of a user's picture. */
export const MAX_PROFILE_IMAGE_CHARS = 4_096;

/** The name and picture that a client gives for its user. */
export interface ClaimedAuthor {
  readonly name: string | null;
  readonly profileImage: string | null;
}

/** @throws Refusal `too-large` when the text has more than `maxChars` UTF-16 code units */
export function checkContent(content: string, maxChars: number): void {
  checkLength('content', content, maxChars);
}

/** @throws Refusal `too-large` */
export function checkClaimedAuthor({ name, profileImage }: ClaimedAuthor): void {
  if (name !== null) checkLength('name', name, MAX_NAME_CHARS);
  if (profileImage !== null) checkLength('profileImage', profileImage, MAX_PROFILE_IMAGE_CHARS);
}

function checkLength(field: string, text: string, maxChars: number): void {
  if (text.length <= maxChars) return;
  throw new Refusal('too-large', `${field} has ${grouped(text.length)} characters; the limit is ${grouped(maxChars)}`);
}

/** 8312 as `8,312`. */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
