const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
const SYLLABLES_OF_INITIAL = 588;
/** The initial consonants of Korean syllables, in the order of Unicode. */
const INITIALS = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ';

/**
 * How well a title matches what the user types: 0 for not at all, and more for a better match. Case
 * and accents do not count. Korean may be given by initial consonants: `ㅇㅂ` finds `일반`.
 */
export function matchOf(title: string, typed: string): number {
  const [text, wanted] = [folded(title), folded(typed)];
  if (wanted === '') return 1;
  if (text === wanted) return 5;
  if (text.startsWith(wanted)) return 4;
  if (text.split(/[\s,#-]+/).some((word) => word.startsWith(wanted))) return 3;
  if (text.includes(wanted) || initialsOf(text).includes(wanted)) return 2;
  return isWithin(text, wanted) ? 1 : 0;
}

/** The items that match, best first; equal ones stay in their order. */
export function ranked<T>(items: readonly T[], titleOf: (item: T) => string, typed: string): T[] {
  return items
    .map((item) => ({ item, match: matchOf(titleOf(item), typed) }))
    .filter(({ match }) => match > 0)
    .sort((a, b) => b.match - a.match)
    .map(({ item }) => item);
}

function folded(text: string): string {
  // Hangul is put together again, because NFD takes its syllables apart.
  return text
    .trim()
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .normalize('NFC');
}

function initialsOf(text: string): string {
  return [...text]
    .map((char) => {
      const code = char.charCodeAt(0);
      if (code < FIRST_SYLLABLE || code > LAST_SYLLABLE) return char;
      return INITIALS[Math.floor((code - FIRST_SYLLABLE) / SYLLABLES_OF_INITIAL)] ?? char;
    })
    .join('');
}

/** true: the characters of `wanted` come in `text`, in this order. */
function isWithin(text: string, wanted: string): boolean {
  let from = 0;
  for (const char of wanted) {
    const at = text.indexOf(char, from);
    if (at === -1) return false;
    from = at + char.length;
  }
  return true;
}
