import { expect, it } from 'vitest';
import { checkClaimedAuthor, checkContent } from '../../../src/domain/message-rules.ts';

it('allows a content of exactly the limit', () => {
  expect(() => checkContent('x'.repeat(8_000), 8_000)).not.toThrow();
  expect(() => checkContent('😀'.repeat(8_000), 8_000)).not.toThrow();
});

it('refuses a longer content and names its length and the limit', () => {
  expect(() => checkContent('x'.repeat(8_312), 8_000)).toThrow(
    expect.objectContaining({ code: 'too-large', message: 'content has 8,312 characters; the limit is 8,000' }),
  );
});

it('counts code points, so an emoji counts as one character', () => {
  expect(() => checkContent('😀😀', 1)).toThrow('content has 2 characters; the limit is 1');
});

it.each(['', ' \n', '\u200b\u200d', '\u2800'])('refuses the content %j, which shows nothing', (content) => {
  expect(() => checkContent(content, 8_000)).toThrow(
    expect.objectContaining({ code: 'bad-input', message: 'content has no visible character' }),
  );
});

it('allows an author without a name and picture', () => {
  expect(() => checkClaimedAuthor({ name: null, profileImage: null })).not.toThrow();
});

it('allows a name of 200 characters and a picture address of 4,096', () => {
  expect(() => checkClaimedAuthor({ name: 'x'.repeat(200), profileImage: 'x'.repeat(4_096) })).not.toThrow();
});

it.each([
  [{ name: 'x'.repeat(201), profileImage: null }, 'name has 201 characters; the limit is 200'],
  [{ name: null, profileImage: 'x'.repeat(4_097) }, 'profileImage has 4,097 characters; the limit is 4,096'],
])('refuses an author whose name or picture address is too long: case %#', (author, message) => {
  expect(() => checkClaimedAuthor(author)).toThrow(expect.objectContaining({ code: 'too-large', message }));
});
