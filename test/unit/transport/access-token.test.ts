import { expect, it } from 'vitest';
import { accessToken } from '../../../src/adapters/transport/access-token.ts';

it.each([
  ['x.y.z', 'x.y.z'],
  ['Bearer x.y.z', 'x.y.z'],
  ['bearer   x.y.z ', 'x.y.z'],
  ['Bearerx', 'Bearerx'],
])('reads the access token out of %j', (text, token) => {
  expect(accessToken(text)).toBe(token);
});

it.each([undefined, '', ' ', 'Bearer', 'Bearer '])('finds no access token in %j', (text) => {
  expect(accessToken(text)).toBeNull();
});
