// Characters that JSON leaves alone and that browsers or proxies were seen to mangle; lone surrogates and
// control characters are escaped by JSON.stringify itself.
const fragile = /[\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/;
const everyFragile = new RegExp(fragile, 'g');

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A text as an element of a SockJS array frame: a JSON string, quotes included, safe on every SockJS transport. */
export function jsonElement(text: string): string {
  const json = JSON.stringify(text);
  return fragile.test(json) ? json.replace(everyFragile, escaped) : json;
}
