import { expect, it } from 'vitest';
import { isFileUrl, isInlineType, isServedType, OPAQUE_TYPE } from '../../../src/domain/file.ts';

it.each(['image/png', 'image/avif', 'video/mp4', 'audio/ogg'])('lets a browser show a file of the type %s', (type) => {
  expect([isInlineType(type), isServedType(type)]).toEqual([true, true]);
});

it('lets a PDF keep its type, but not be shown inside a page', () => {
  expect([isInlineType('application/pdf'), isServedType('application/pdf')]).toEqual([false, true]);
});

it.each([OPAQUE_TYPE, 'text/html', 'image/svg+xml', 'application/xml', 'text/javascript', 'application/zip', ''])(
  'neither shows a file of the type %o nor serves it under that type',
  (type) => {
    expect([isInlineType(type), isServedType(type)]).toEqual([false, false]);
  },
);

it.each(['https://files.example/a.png', 'http://files.example/a.png', 'HTTPS://FILES.EXAMPLE/a'])(
  'recognizes %s as a file of an original server',
  (content) => {
    expect(isFileUrl(content)).toBe(true);
  },
);

it.each(['', 'a1b2c3', 'https-key', 'https:key', 'https:/key', 'ftp://files.example/a', ' https://files.example/a'])(
  'takes %o for a key of the file store',
  (content) => {
    expect(isFileUrl(content)).toBe(false);
  },
);
