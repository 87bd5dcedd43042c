// Characters that JSON does not escape and that some browsers or proxies change. JSON.stringify
// itself escapes lone surrogates and control characters.
const FRAGILE = /[\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/;
const EVERY_FRAGILE = new RegExp(FRAGILE, 'g');

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * A text as an element of a SockJS array frame: a JSON string with its quotes, safe on every SockJS
 * transport.
 */
export function jsonElement(text: string): string {
  const json = JSON.stringify(text);
  return FRAGILE.test(json) ? json.replace(EVERY_FRAGILE, escaped) : json;
}
