import { expect, it } from 'vitest';
import { type Token, tokensOf } from '../../../page/src/text/tokens.ts';

/** Tokens in short: `strong(text)`. */
function short(tokens: readonly Token[]): string {
  return tokens.map(shortToken).join('');
}

function shortToken(token: Token): string {
  switch (token.kind) {
    case 'text':
      return token.text;
    case 'break':
      return '⏎';
    case 'code':
      return `code(${token.text})`;
    case 'link':
      return `link(${token.url})`;
    case 'fence':
      return `fence[${token.language}](${token.text})`;
    default:
      return `${token.kind}(${short(token.tokens)})`;
  }
}

it.each([
  ['**bold** and _soft_ and *soft* and ~~gone~~', 'strong(bold) and em(soft) and em(soft) and strike(gone)'],
  ['**bold _both_**', 'strong(bold em(both))'],
  ['2*3*4 and snake_case_name and a * b * c', '2*3*4 and snake_case_name and a * b * c'],
  ['**not closed', '**not closed'],
  ['a **b\nc** d', 'a **b⏎c** d'],
  ['`a **b**` and ``a ` b``', 'code(a **b**) and code(a ` b)'],
  ['see https://example.org/a_b_c?d=*1.', 'see link(https://example.org/a_b_c?d=*1).'],
  [
    '(https://example.org/x) and https://en.wikipedia.org/wiki/A_(b)',
    '(link(https://example.org/x)) and link(https://en.wikipedia.org/wiki/A_(b))',
  ],
  ['javascript:alert(1) ftp://x xhttps://y', 'javascript:alert(1) ftp://x xhttps://y'],
  ['https:// and http://', 'https:// and http://'],
  ['> one\n> two\nthree', 'quote(one⏎two)three'],
  ['a > b', 'a > b'],
  ['before\n```js\nlet a = **1**;\n```\nafter', 'beforefence[js](let a = **1**;)after'],
  ['```\nnot closed', '```⏎not closed'],
  ['<b>x</b> & &lt;', '<b>x</b> & &lt;'],
  ['', ''],
])('reads the text %j', (text, expected) => {
  expect(short(tokensOf(text))).toBe(expected);
});

it.each([
  ['marks', '*a '.repeat(2_600)],
  ['two marks', '**a _b '.repeat(1_100)],
  ['nested marks', '*'.repeat(8_000)],
  ['backticks', '` `` '.repeat(1_600)],
  ['quotes', '> > '.repeat(2_000)],
  ['links', 'http://a('.repeat(900)],
])('reads 8,000 characters of %s within 200 ms', (_, text) => {
  const started = performance.now();
  tokensOf(text);
  expect(performance.now() - started).toBeLessThan(200);
});
