import { isBlank } from '../../../src/domain/text.ts';

/**
 * The rules of input that no portable JSON schema shows. The descriptions in the documents name
 * them. True for a value that such a rule refuses.
 */
export function isRefusedBeyondSchema(field: string, value: unknown): boolean {
  if (typeof value !== 'string')
    return Array.isArray(value) && value.some((each) => isRefusedBeyondSchema(field, each));
  if (field === 'content' && isBlank(value)) return true;
  // A ban or mute ends in the future, on a day that exists.
  if (field === 'until') return !(Date.parse(`${value.replace(/Z$/, '')}Z`) > Date.now());
  // `page` times `size` must be below 2^53.
  if (field === 'page' && Number(value) * 50 > Number.MAX_SAFE_INTEGER) return true;
  // An id is at most 2^53 - 1.
  return [...value.matchAll(/\d{16,}/g)].some(([digits]) => Number(digits) > Number.MAX_SAFE_INTEGER);
}

/** The same for the fields of an object, or the entries of a list. */
export function isBodyRefusedBeyondSchema(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  return Object.entries(body).some(([field, value]) => isRefusedBeyondSchema(field, value));
}
