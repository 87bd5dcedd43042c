import { expect, it } from 'vitest';
import { JwtTokenVerifier } from '../../../src/adapters/jwt/token-verifier.ts';
import { token } from '../../contracts/token-verifier.ts';

const SECRET = 'a secret of thirty-two characters';
const KEY = Buffer.from(SECRET, 'utf8');
const NOW_SECONDS = 1_795_362_575;
const GOOD = { sub: 'ada', id: 1, role: 'ROLE_USER', iat: NOW_SECONDS, exp: NOW_SECONDS + 60 };

const verifier = new JwtTokenVerifier({ secrets: [SECRET], encoding: 'utf8', now: () => NOW_SECONDS * 1_000 });
const verify = (claims: object, key = KEY) => verifier.verify(token(key, { ...GOOD, ...claims }));

it.each([
  [
    { nbf: NOW_SECONDS + 120 },
    "the token is not valid yet: nbf is 120 s ahead of the server's clock; 60 s are allowed",
  ],
  [{ nbf: 'now' }, 'the start of the token is not valid: nbf must be a number'],
  [{ exp: NOW_SECONDS }, 'the token has expired'],
  [{ sub: '' }, 'the token has no account: sub must be a text'],
  [{ id: '1' }, 'the token has no user: id must be a positive integer'],
  [{ exp: undefined }, 'the token has no expiry: exp must be a number'],
  [{ iat: undefined }, 'the token has no time of issue: iat must be a number'],
])('says what is wrong with the claims %j', (claims, message) => {
  expect(() => verify(claims)).toThrow(message);
});

it('accepts a token to the last moment before exp, and from 60 s before nbf', () => {
  expect(verify({ exp: NOW_SECONDS + 0.001 }).userId).toBe(1);
  expect(verify({ nbf: NOW_SECONDS + 60 }).userId).toBe(1);
  expect(() => verify({ nbf: NOW_SECONDS + 61 })).toThrow('61 s ahead');
});

it('names crit as the reason to refuse a token, which asks for extensions that the server does not know', () => {
  const critical = token(KEY, GOOD, { alg: 'HS256', crit: ['exp2'], exp2: 1 });
  expect(() => verifier.verify(critical)).toThrow('the token has critical extensions (crit); none is supported');
});

it('tells a foreign key from a text that is not a JWT', () => {
  expect(() => verify({}, Buffer.from('another key'))).toThrow('the token is not signed with a key of this server');
  expect(() => verifier.verify('nonsense')).toThrow('the token is not a valid JWT signed with HS256');
});

it('limits the end of a session to the latest time that a date holds', () => {
  expect(verify({ exp: 1e300 }).expiresAt).toBe(8.64e15);
});
