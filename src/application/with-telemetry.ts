import { asRefusal, Refusal } from '../domain/errors.ts';
import type { Accepted, Caller, Command, MaybePromise, Query } from './commands.ts';
import type { Telemetry } from './ports/telemetry.ts';

/**
 * Wraps a command so that its refusals are counted. An error that is not a Refusal is a defect: it
 * is logged with its stack, and the caller gets the refusal `internal`.
 */
export function withTelemetry<Input, Output>(
  telemetry: Telemetry,
  useCase: { execute: Command<Input, Output> },
): Command<Input, Output> {
  const name = useCase.constructor.name;
  return (caller, input) => {
    let accepted: MaybePromise<Accepted<Output>>;
    try {
      accepted = useCase.execute(caller, input);
    } catch (error) {
      throw reported(telemetry, name, caller, error);
    }
    if (!(accepted instanceof Promise)) return withReportedResult(telemetry, name, caller, accepted);
    return accepted.then(
      (value) => withReportedResult(telemetry, name, caller, value),
      (error: unknown) => {
        throw reported(telemetry, name, caller, error);
      },
    );
  };
}

/** Wraps a query in the same way. */
export function withQueryTelemetry<Input, Output>(
  telemetry: Telemetry,
  useCase: { execute: Query<Input, Output> },
): Query<Input, Output> {
  const name = useCase.constructor.name;
  return async (caller, input) => {
    try {
      return await useCase.execute(caller, input);
    } catch (error) {
      throw reported(telemetry, name, caller, error);
    }
  };
}

function withReportedResult<Output>(
  telemetry: Telemetry,
  name: string,
  caller: Caller,
  accepted: Accepted<Output>,
): Accepted<Output> {
  return {
    result: accepted.result.catch((error: unknown) => {
      throw reported(telemetry, name, caller, error);
    }),
  };
}

function reported(telemetry: Telemetry, useCase: string, caller: Caller, error: unknown): Refusal {
  telemetry.count('refusals');
  if (!(error instanceof Refusal)) {
    telemetry.log('error', 'a use case failed', { useCase, userId: caller.userId, error });
  }
  return asRefusal(error);
}
