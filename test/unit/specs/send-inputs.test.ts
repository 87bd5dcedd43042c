import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { unlimited } from '../../../dev/unlimited.ts';
import { SEND_TABLE } from '../../../scripts/specs/send-schemas.ts';
import { dispatch, newToken, TOKEN_DESTINATION } from '../../../src/adapters/stomp/send-routes.ts';
import { Refusal, type RefusalCode } from '../../../src/domain/errors.ts';
import { embeddedApplication, temporaryFiles, tokenOf } from '../../support/embedded-application.ts';
import { arbitraryOf } from '../../support/specs/arbitrary.ts';
import { isBodyRefusedBeyondSchema } from '../../support/specs/beyond-schemas.ts';
import { AGREED, casesOf, disagreements, withOdd } from '../../support/specs/disagreements.ts';
import { ODD_VALUES } from '../../support/specs/odd-values.ts';
import { SchemaChecker } from '../../support/specs/schema-checker.ts';
import { TestClient } from '../../support/test-client.ts';

/** The codes of inputs that are refused for their form. */
const OF_FORM: readonly RefusalCode[] = ['bad-input', 'too-large'];
const NO_MESSAGE = '0123456789abcdef01234567';
// Hundreds of commands take a second where nothing else runs.
vi.setConfig({ testTimeout: 60_000 });
const checker = new SchemaChecker({ isClosed: false });

/**
 * True for a body unless the server refuses its form. Throws for a refusal with a code that the
 * table does not have for the destination.
 */
async function server(address: string): Promise<(body: unknown) => Promise<boolean>> {
  const files = await temporaryFiles();
  const { app } = await embeddedApplication({ files: files.store, limits: unlimited });
  const connection = { sessionId: 's', token: tokenOf(1), claimedUserId: null, client: new TestClient() };
  const caller = app.userConnected(connection);
  const sender = { caller, sessionId: 's', readAt: 0 };
  const { refusals } = SEND_TABLE.find((entry) => entry.address === address) ?? {};
  return async (value) => {
    const bytes = Buffer.from(JSON.stringify(value));
    try {
      if (address === TOKEN_DESTINATION) newToken(bytes, 32);
      else await (await dispatch(app, sender, address, bytes, 32)).result;
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      expect(refusals).toContain(error.code);
      return !OF_FORM.includes(error.code);
    }
  };
}

describe('a SEND', () => {
  const BASES: Readonly<Record<string, unknown>> = { id: NO_MESSAGE, parentId: NO_MESSAGE, content: 'Hello' };

  it.each(SEND_TABLE.map(({ address, body, example }) => ({ address, body, example })))(
    'the schema and the server agree about odd bodies for $address',
    async ({ address, body, example }) => {
      const isAccepted = await server(address);
      const { nonce: _, ...rest } = example as Record<string, unknown>;
      const base = { ...rest, ...Object.fromEntries(Object.entries(BASES).filter(([name]) => name in rest)) };
      expect([checker.mismatch(body, base), await isAccepted(base)]).toEqual([null, true]);
      const cases = casesOf(Object.keys(body.properties ?? {}), ODD_VALUES);
      expect(
        await disagreements(
          cases,
          (one) => checker.mismatch(body, withOdd(base, one)) === null,
          (one) => isAccepted(withOdd(base, one)),
        ),
      ).toEqual(AGREED);
      for (const odd of [null, [], 'x', 5]) expect(await isAccepted(odd)).toBe(checker.mismatch(body, odd) === null);
    },
  );

  it.each(SEND_TABLE.map(({ address, body }) => ({ address, body })))(
    'the server accepts every body for $address that the schema accepts',
    async ({ address, body }) => {
      const isAccepted = await server(address);
      await fc.assert(
        fc.asyncProperty(arbitraryOf(body), async (value) => {
          expect(checker.mismatch(body, value)).toBeNull();
          expect((await isAccepted(value)) || isBodyRefusedBeyondSchema(value)).toBe(true);
        }),
        { numRuns: 20 },
      );
    },
  );
});
