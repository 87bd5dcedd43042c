import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import type { Accepted, Caller, Command, Query } from '../../../src/application/commands.ts';
import { withQueryTelemetry, withTelemetry } from '../../../src/application/with-telemetry.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { completed } from '../../support/application.ts';

const CALLER: Caller = { userId: 3, token: 'secret token', expiresAt: Number.POSITIVE_INFINITY };
const INPUT = { content: 'secret text' };

class SampleCommand {
  readonly execute: Command<typeof INPUT, number>;
  constructor(execute: Command<typeof INPUT, number>) {
    this.execute = execute;
  }
}

class SampleQuery {
  readonly execute: Query<typeof INPUT, number>;
  constructor(execute: Query<typeof INPUT, number>) {
    this.execute = execute;
  }
}

const resultOf = (result: Promise<number>): Accepted<number> => ({ result });

/** The three moments at which a command can fail, and a query. */
const FAILURES: readonly [string, (telemetry: RecordedTelemetry, error: unknown) => Promise<number>][] = [
  [
    'a command that throws',
    (telemetry, error) => {
      const execute = withTelemetry(
        telemetry,
        new SampleCommand(() => {
          throw error;
        }),
      );
      return completed(() => execute(CALLER, INPUT));
    },
  ],
  [
    'a command that rejects before it is accepted',
    (telemetry, error) => {
      const execute = withTelemetry(telemetry, new SampleCommand(() => Promise.reject(error)));
      return completed(() => execute(CALLER, INPUT));
    },
  ],
  [
    'a command that is accepted at once and whose result rejects',
    (telemetry, error) => {
      const execute = withTelemetry(telemetry, new SampleCommand(() => resultOf(Promise.reject(error))));
      return completed(() => execute(CALLER, INPUT));
    },
  ],
  [
    'a command that is accepted later and whose result rejects',
    (telemetry, error) => {
      const execute = withTelemetry(telemetry, new SampleCommand(async () => resultOf(Promise.reject(error))));
      return completed(() => execute(CALLER, INPUT));
    },
  ],
  [
    'a query that rejects',
    (telemetry, error) => withQueryTelemetry(telemetry, new SampleQuery(() => Promise.reject(error)))(CALLER, INPUT),
  ],
];

it.each(FAILURES)('counts one refusal of %s, passes it on unchanged and logs nothing', async (_, run) => {
  const telemetry = new RecordedTelemetry();
  const refusal = new Refusal('not-permitted', 'no');
  await expect(run(telemetry, refusal)).rejects.toBe(refusal);
  expect(telemetry.counts.get('refusals')).toBe(1);
  expect(telemetry.logs).toEqual([]);
});

it.each(FAILURES)('logs the defect of %s as an error and hides it from the caller', async (_, run) => {
  const telemetry = new RecordedTelemetry();
  const defect = new TypeError('cannot read properties of undefined');
  await expect(run(telemetry, defect)).rejects.toMatchObject({ name: 'Refusal', code: 'internal' });
  expect(telemetry.counts.get('refusals')).toBe(1);
  expect(telemetry.logs).toEqual([
    {
      level: 'error',
      what: 'a use case failed',
      fields: { useCase: expect.stringMatching(/^Sample(Command|Query)$/), userId: 3, error: defect },
    },
  ]);
  expect(JSON.stringify(telemetry.logs)).not.toContain('secret');
});

it('logs a thrown value that is not an error', async () => {
  const telemetry = new RecordedTelemetry();
  const execute = withQueryTelemetry(telemetry, new SampleQuery(() => Promise.reject('broken')));
  await expect(execute(CALLER, INPUT)).rejects.toMatchObject({ code: 'internal' });
  expect(telemetry.logs).toMatchObject([{ fields: { error: 'broken' } }]);
});

it('accepts a command in the same tick if the use case does', async () => {
  const execute = withTelemetry(new RecordedTelemetry(), new SampleCommand(() => resultOf(Promise.resolve(7))));
  const accepted = execute(CALLER, INPUT);
  if (accepted instanceof Promise) throw new Error('the command was not accepted in the same tick');
  expect(await accepted.result).toBe(7);
});

it('passes caller, input and result of a command and of a query on unchanged', async () => {
  const telemetry = new RecordedTelemetry();
  const seen: unknown[] = [];
  const command = withTelemetry(
    telemetry,
    new SampleCommand(async (...given) => {
      seen.push(...given);
      return resultOf(Promise.resolve(7));
    }),
  );
  const query = withQueryTelemetry(
    telemetry,
    new SampleQuery(async (...given) => {
      seen.push(...given);
      return 8;
    }),
  );
  expect([await completed(() => command(CALLER, INPUT)), await query(CALLER, INPUT)]).toEqual([7, 8]);
  expect(seen).toEqual([CALLER, INPUT, CALLER, INPUT]);
  expect(telemetry.counts.size).toBe(0);
});
