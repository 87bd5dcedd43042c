import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TokenVerifier } from '../../src/application/ports/token-verifier.ts';
import { Refusal } from '../../src/domain/errors.ts';

export interface TokenVerifierUnderTest {
  /** Bytes of the first key. */
  readonly key: Buffer;
  /** Bytes of a previous key, which is still accepted. */
  readonly previous: Buffer;
  readonly verifier: TokenVerifier;
}

const now = () => Math.floor(Date.now() / 1_000);
const GOOD = { sub: 'ada', id: 1, role: 'ROLE_USER' };

export function text(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A token made without the library under test. */
export function token(key: Buffer, claims: object, header: object = { alg: 'HS256', typ: 'JWT' }, hash = 'sha256') {
  const signed = `${text(header)}.${text(claims)}`;
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`;
}

export function tokenVerifierContract(name: string, make: () => TokenVerifierUnderTest): void {
  const fresh = () => ({ ...GOOD, iat: now(), exp: now() + 60 });

  describe(`TokenVerifier: ${name}`, () => {
    const { key, previous, verifier } = make();
    const refused = (given: string) => {
      let thrown: unknown;
      try {
        verifier.verify(given);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(Refusal);
      expect(thrown).toMatchObject({ code: 'bad-token' });
      if (thrown instanceof Error && given !== '') expect(thrown.message).not.toContain(given);
    };

    it('accepts a valid token', () => {
      const claims = fresh();
      const expiresAt = claims.exp * 1_000;
      expect(verifier.verify(token(key, claims))).toEqual({ userId: 1, account: 'ada', role: 'ROLE_USER', expiresAt });
    });

    it('accepts a token without a role', () => {
      expect(verifier.verify(token(key, { ...fresh(), role: undefined })).role).toBe('');
    });

    it('accepts a token that a previous key signed', () => {
      expect(verifier.verify(token(previous, fresh())).userId).toBe(1);
    });

    it('refuses a token that a key that is not configured signed', () => {
      refused(token(Buffer.from('another key, of somebody else'), fresh()));
    });

    it('refuses a token whose claims were changed', () => {
      const [header, , signature] = token(key, fresh()).split('.');
      refused(`${header}.${text({ ...fresh(), id: 2 })}.${signature}`);
    });

    it.each([
      ['alg none, unsigned', { alg: 'none' }],
      ['alg None', { alg: 'None' }],
      ['alg nOnE', { alg: 'nOnE' }],
    ])('refuses a token with %s', (_title, header) => {
      refused(`${text(header)}.${text(fresh())}.`);
      refused(token(key, fresh(), header));
    });

    it('refuses a token that the right key signed with HS384 or HS512', () => {
      refused(token(key, fresh(), { alg: 'HS384' }, 'sha384'));
      refused(token(key, fresh(), { alg: 'HS512' }, 'sha512'));
    });

    it('refuses a token signed with RS256', () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const signed = `${text({ alg: 'RS256' })}.${text(fresh())}`;
      refused(`${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`);
    });

    it('accepts a token until exp, without a leeway', () => {
      expect(verifier.verify(token(key, { ...fresh(), exp: now() + 5 })).userId).toBe(1);
      refused(token(key, { ...fresh(), exp: now() }));
      refused(token(key, { ...fresh(), exp: now() - 1 }));
    });

    it('accepts a token whose iat is in the future or long ago', () => {
      for (const iat of [now() + 20, now() + 86_400, now() - 100 * 86_400, 0, -1, 1.5]) {
        expect(verifier.verify(token(key, { ...fresh(), iat })).userId).toBe(1);
      }
    });

    it('checks nbf with a leeway of 60 seconds', () => {
      expect(verifier.verify(token(key, { ...fresh(), nbf: now() + 55 })).userId).toBe(1);
      refused(token(key, { ...fresh(), nbf: now() + 65 }));
      refused(token(key, { ...fresh(), nbf: String(now()) }));
    });

    it.each([{}, 5, true, null, { roles: ['ADMIN'] }, { authority: 'USER' }])(
      'accepts a token with the role %j',
      (role) => {
        expect(verifier.verify(token(key, { ...fresh(), role })).userId).toBe(1);
      },
    );

    it.each([{ crit: ['exp2'] }, { crit: [] }, { crit: 'b64' }, { crit: null }])(
      'refuses a token with %j in its header',
      (crit) => {
        refused(token(key, fresh(), { alg: 'HS256', ...crit, exp2: 1 }));
      },
    );

    it.each([
      ['a missing exp', { exp: undefined }],
      ['exp as text', { exp: String(now() + 60) }],
      ['a missing iat', { iat: undefined }],
      ['a missing sub', { sub: undefined }],
      ['an empty sub', { sub: '' }],
      ['sub as number', { sub: 5 }],
      ['a missing id', { id: undefined }],
      ['id as text', { id: '1' }],
      ['id 0', { id: 0 }],
      ['a negative id', { id: -1 }],
      ['a fraction as id', { id: 1.5 }],
      ['an id beyond exact numbers', { id: 2 ** 53 }],
      ['an id that is a list', { id: [1] }],
    ])('refuses a token with %s', (_title, change) => {
      refused(token(key, { ...fresh(), ...change }));
    });

    it.each([
      ['nothing', ''],
      ['dots', '..'],
      ['three words', 'abc.def.ghi'],
      ['a prefix', 'Bearer x'],
      ['5,000 letters', 'a'.repeat(5_000)],
      ['5,000 dots', '.'.repeat(5_000)],
      ['other signs', 'é.ü.\u0000'],
    ])('refuses the text of %s as a token', (_title, garbage) => refused(garbage));

    it('refuses a token whose claims are not an object', () => {
      const signed = `${text({ alg: 'HS256' })}.${Buffer.from('"text"').toString('base64url')}`;
      refused(`${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`);
    });
  });
}
