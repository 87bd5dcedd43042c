import { afterEach, describe, expect, it } from 'vitest';
import type { ModeratedText, Moderator } from '../../src/application/ports/moderator.ts';

/** What the service behind the moderator does with a request. */
export type Behaviour = 'allow' | 'refuse' | 'refuse without words' | 'replace' | 'fail' | 'nonsense' | 'hang';

export interface ModeratorUnderTest {
  readonly moderator: Moderator;
  /** The texts that the service was asked about. */
  readonly asked: readonly unknown[];
  /** From now on, the service does this. */
  behave(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

const TEXT: ModeratedText = { userId: 1, place: 'r-5', kind: 'message', content: 'hello' };
/** The longest time until an answer or a refusal. */
const MAX_MS = 3_000;

/** The contract of `Moderator`. */
export function moderatorContract(name: string, make: () => Promise<ModeratorUnderTest>): void {
  describe(`Moderator: ${name}`, () => {
    const made: ModeratorUnderTest[] = [];
    afterEach(async () => {
      await Promise.all(made.splice(0).map((one) => one.stop()));
    });
    async function start(behaviour: Behaviour): Promise<ModeratorUnderTest> {
      const one = await make();
      made.push(one);
      one.behave(behaviour);
      return one;
    }

    it.each([
      ['allow', { kind: 'allow' }],
      ['refuse', { kind: 'refuse', message: 'mind your words' }],
      ['refuse without words', { kind: 'refuse', message: null }],
      ['replace', { kind: 'replace', content: 'h***o' }],
    ] as const)('brings the text to the service and the verdict back: %s', async (behaviour, verdict) => {
      const { moderator, asked } = await start(behaviour);
      expect(await moderator.check(TEXT)).toEqual(verdict);
      expect(asked).toEqual([TEXT]);
    });

    it.each(['fail', 'nonsense', 'hang'] as const)(
      'rejects in time when the service does this: %s',
      async (behaviour) => {
        const { moderator } = await start(behaviour);
        const began = performance.now();
        await expect(moderator.check(TEXT)).rejects.toMatchObject({ code: 'try-again' });
        expect(performance.now() - began).toBeLessThan(MAX_MS);
      },
    );

    it('works again when the service does', async () => {
      const { moderator, behave } = await start('hang');
      await expect(moderator.check(TEXT)).rejects.toMatchObject({ code: 'try-again' });
      behave('allow');
      await expect.poll(() => moderator.check(TEXT).catch(() => null), { timeout: 5_000 }).toEqual({ kind: 'allow' });
    });
  });
}
