import { expect, it } from 'vitest';
import { JwtTokenIssuer } from '../../src/adapters/jwt/token-issuer.ts';
import { JwtTokenVerifier } from '../../src/adapters/jwt/token-verifier.ts';
import { token, tokenVerifierContract } from './token-verifier.ts';

const SECRET = 'a secret of some length, with (signs)!';
const PREVIOUS = 'the secret before';
const B64 = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');
const B64_PREVIOUS = Buffer.from('another key of thirty-two bytes!').toString('base64');

tokenVerifierContract('secrets as UTF-8', () => ({
  key: Buffer.from(SECRET, 'utf8'),
  previous: Buffer.from(PREVIOUS, 'utf8'),
  verifier: new JwtTokenVerifier({ secrets: [SECRET, PREVIOUS], encoding: 'utf8' }),
}));

tokenVerifierContract('secrets as Base64', () => ({
  key: Buffer.from(B64, 'base64'),
  previous: Buffer.from(B64_PREVIOUS, 'base64'),
  verifier: new JwtTokenVerifier({ secrets: [B64, B64_PREVIOUS], encoding: 'base64' }),
}));

const claims = () => {
  const iat = Math.floor(Date.now() / 1_000);
  return { sub: 'ada', id: 1, iat, exp: iat + 60 };
};

it('refuses a token whose key is the same secret in another encoding', () => {
  const verifier = new JwtTokenVerifier({ secrets: [B64], encoding: 'base64' });
  expect(() => verifier.verify(token(Buffer.from(B64, 'utf8'), claims()))).toThrow();
});

it('reads a pass phrase as Base64 in both ways of the Java libraries', () => {
  const phrase = 'my-pass_phrase1';
  const verifier = new JwtTokenVerifier({ secrets: [phrase], encoding: 'base64' });
  // All characters, and groups of four of the standard alphabet: "mypassphrase".
  for (const key of [Buffer.from(phrase, 'base64'), Buffer.from('mypassphrase', 'base64')]) {
    expect(verifier.verify(token(key, claims())).userId).toBe(1);
  }
});

it('refuses a secret that gives no key, without showing it', () => {
  expect(() => new JwtTokenVerifier({ secrets: ['?!'], encoding: 'base64' })).toThrow('empty key');
  expect(() => new JwtTokenVerifier({ secrets: ['fine', ''], encoding: 'utf8' })).toThrow('secret 2');
  expect(() => new JwtTokenVerifier({ secrets: [], encoding: 'utf8' })).toThrow('no secret');
  try {
    new JwtTokenVerifier({ secrets: ['?!'], encoding: 'base64' });
  } catch (error) {
    expect(String(error)).not.toContain('?!');
  }
});

it('accepts a token of the issuer until it expires', () => {
  const keys = { secrets: [SECRET, PREVIOUS], encoding: 'utf8' } as const;
  let now = Date.now();
  const verifier = new JwtTokenVerifier({ ...keys, now: () => now });
  const issued = new JwtTokenIssuer({ ...keys, now: () => now }).issue(7, 'grace', 60);
  expect(verifier.verify(issued)).toMatchObject({ userId: 7, account: 'grace', role: 'ROLE_USER' });
  now += 66_000;
  expect(() => verifier.verify(issued)).toThrow('expired');
  const old = new JwtTokenVerifier({ secrets: [PREVIOUS], encoding: 'utf8' });
  expect(() => old.verify(issued)).toThrow();
});
