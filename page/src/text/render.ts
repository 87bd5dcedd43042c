import { el } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { words } from '../words/index.ts';
import { type Token, tokensOf } from './tokens.ts';

const ONLY_EMOJI = /^(?:\p{RGI_Emoji}\s*){1,6}$/v;
const MAX_EMOJI_CHARS = 80;

/** Shows the text of a message. Texts of users become text nodes only, never HTML. */
export function renderText(text: string): Node[] {
  return tokensOf(text).map(nodeOf);
}

/** true: the text is a few emoji, which are shown large. */
export function isOnlyEmoji(text: string): boolean {
  return text.length <= MAX_EMOJI_CHARS && ONLY_EMOJI.test(text.trim());
}

function nodeOf(token: Token): Node {
  switch (token.kind) {
    case 'text':
      return document.createTextNode(token.text);
    case 'break':
      return document.createTextNode('\n');
    case 'code':
      return el('code', {}, token.text);
    case 'link':
      return el('a', { href: token.url, target: '_blank', rel: 'noopener noreferrer' }, token.text);
    case 'strong':
      return el('strong', {}, ...token.tokens.map(nodeOf));
    case 'em':
      return el('em', {}, ...token.tokens.map(nodeOf));
    case 'strike':
      return el('s', {}, ...token.tokens.map(nodeOf));
    case 'quote':
      return el('blockquote', {}, ...token.tokens.map(nodeOf));
    case 'fence':
      return fence(token.language, token.text);
  }
}

function fence(language: string, text: string): HTMLElement {
  const copy = el('button', { type: 'button', class: 'copy', tabindex: -1 }, icon('copy'), words().messages.copyCode);
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text);
    copy.replaceChildren(icon('check'), words().messages.copied);
  });
  return el(
    'div',
    { class: 'fence' },
    el('div', { class: 'fence-head' }, language, copy),
    el('pre', { tabindex: 0 }, el('code', {}, text)),
  );
}
