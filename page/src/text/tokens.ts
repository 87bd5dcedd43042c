/** A part of a message. */
export type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly url: string; readonly text: string }
  | { readonly kind: 'strong' | 'em' | 'strike' | 'quote'; readonly tokens: readonly Token[] }
  | { readonly kind: 'fence'; readonly language: string; readonly text: string };

const FENCE = /^```([\w+#.-]{0,20})[ \t]*\n([\s\S]*?)(?:\n```[ \t]*(?:\n|$))/;
const QUOTE = /^(?:>[ \t]?[^\n]*(?:\n|$))+/;
const CODE = /^(`+)(?!`)([^\n]*?[^`\n])\1(?!`)/;
const LINK = /^https?:\/\/[^\s<>"'`]+/i;
/** Marks, longest first, and the kind that they make. */
const MARKS = [
  ['**', 'strong'],
  ['~~', 'strike'],
  ['*', 'em'],
  ['_', 'em'],
] as const;
const MAX_DEPTH = 6;
const WORD = /[\p{L}\p{N}_]/u;

/**
 * Reads links, code, quotes, **bold**, _italic_ and ~~struck~~ text. A mark without its partner is
 * text.
 */
export function tokensOf(text: string): readonly Token[] {
  return blocks(text);
}

function blocks(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let plain = '';
  let rest = text;
  const flush = () => {
    if (plain !== '') tokens.push(...inline(plain, 0));
    plain = '';
  };
  while (rest !== '') {
    const fence = rest.startsWith('```') ? FENCE.exec(rest) : null;
    const quote = rest.startsWith('>') ? QUOTE.exec(rest) : null;
    const end = rest.indexOf('\n');
    const taken = fence?.[0] ?? quote?.[0] ?? (end === -1 ? rest : rest.slice(0, end + 1));
    if (fence !== null) {
      plain = plain.replace(/\n$/, '');
      flush();
      tokens.push({ kind: 'fence', language: fence[1] ?? '', text: fence[2] ?? '' });
    } else if (quote !== null) {
      plain = plain.replace(/\n$/, '');
      flush();
      tokens.push({ kind: 'quote', tokens: inline(taken.replace(/\n$/, '').replace(/^>[ \t]?/gm, ''), 0) });
    } else plain += taken;
    rest = rest.slice(taken.length);
  }
  flush();
  return tokens;
}

function inline(text: string, depth: number): readonly Token[] {
  const tokens: Token[] = [];
  let plain = '';
  /** Marks that nothing closes in this line. To look for that again and again takes seconds. */
  const open = new Set<string>();
  const flush = () => {
    if (plain !== '') tokens.push({ kind: 'text', text: plain });
    plain = '';
  };
  for (let at = 0; at < text.length; ) {
    if (text[at] === '\n') open.clear();
    const found = startAt(text, at, depth, open);
    if (found === null) {
      plain += text[at];
      at += 1;
      continue;
    }
    flush();
    tokens.push(found.token);
    at = found.end;
  }
  flush();
  return tokens;
}

interface Found {
  readonly token: Token;
  readonly end: number;
}

function startAt(text: string, at: number, depth: number, open: Set<string>): Found | null {
  switch (text[at]) {
    case '\n':
      return { token: { kind: 'break' }, end: at + 1 };
    case '`': {
      const code = CODE.exec(text.slice(at, lineEnd(text, at)));
      return code === null ? null : { token: { kind: 'code', text: code[2] ?? '' }, end: at + code[0].length };
    }
    case 'h':
    case 'H':
      return linkAt(text, at);
    case '*':
    case '_':
    case '~':
      return depth < MAX_DEPTH ? markAt(text, at, depth, open) : null;
    default:
      return null;
  }
}

function linkAt(text: string, at: number): Found | null {
  if (at > 0 && WORD.test(text[at - 1] ?? '')) return null;
  const raw = LINK.exec(text.slice(at, at + 2_048))?.[0];
  if (raw === undefined) return null;
  let url = raw.replace(/[.,;:!?*_~]+$/, '');
  // A bracket that closes one before the link is not a part of it.
  while (/[)\]]$/.test(url) && count(url, url.endsWith(')') ? '(' : '[') < count(url, url.slice(-1))) {
    url = url.slice(0, -1).replace(/[.,;:!?]+$/, '');
  }
  if (!URL.canParse(url)) return null;
  return { token: { kind: 'link', url, text: url }, end: at + url.length };
}

function markAt(text: string, at: number, depth: number, open: Set<string>): Found | null {
  const line = text.slice(at, lineEnd(text, at));
  for (const [mark, kind] of MARKS) {
    if (open.has(mark) || !line.startsWith(mark)) continue;
    // snake_case and 2*3*4 are not marks.
    if (mark !== '**' && mark !== '~~' && WORD.test(text[at - 1] ?? '')) continue;
    if (/^\s|^$/.test(line.slice(mark.length, mark.length + 1))) continue;
    const end = closing(line, mark);
    if (end === -1) {
      open.add(mark);
      continue;
    }
    const tokens = inline(line.slice(mark.length, end), depth + 1);
    return { token: { kind, tokens }, end: at + end + mark.length };
  }
  return null;
}

function closing(line: string, mark: string): number {
  for (let end = line.indexOf(mark, mark.length + 1); end !== -1; end = line.indexOf(mark, end + 1)) {
    const after = line[end + mark.length] ?? '';
    const isSingle = mark.length === 1;
    if (/\s/.test(line[end - 1] ?? ' ')) continue;
    if (isSingle && (WORD.test(after) || after === mark || line[end - 1] === mark)) continue;
    return end;
  }
  return -1;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}
