import { asRefusal, Refusal } from '../domain/errors.ts';
import type { Accepted, Caller, Command, MaybePromise, Query } from './commands.ts';
import type { Telemetry } from './ports/telemetry.ts';

/** Counts the refusals of a command and logs its defects, so that no use case has to. */
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
      throw refused(telemetry, name, caller, error);
    }
    if (!(accepted instanceof Promise)) return watched(telemetry, name, caller, accepted);
    return accepted.then(
      (value) => watched(telemetry, name, caller, value),
      (error: unknown) => {
        throw refused(telemetry, name, caller, error);
      },
    );
  };
}

/** The same for a query. */
export function withQueryTelemetry<Input, Output>(
  telemetry: Telemetry,
  useCase: { execute: Query<Input, Output> },
): Query<Input, Output> {
  const name = useCase.constructor.name;
  return async (caller, input) => {
    try {
      return await useCase.execute(caller, input);
    } catch (error) {
      throw refused(telemetry, name, caller, error);
    }
  };
}

function watched<Output>(
  telemetry: Telemetry,
  name: string,
  caller: Caller,
  accepted: Accepted<Output>,
): Accepted<Output> {
  return {
    result: accepted.result.catch((error: unknown) => {
      throw refused(telemetry, name, caller, error);
    }),
  };
}

function refused(telemetry: Telemetry, useCase: string, caller: Caller, error: unknown): Refusal {
  telemetry.count('refusals');
  if (!(error instanceof Refusal)) {
    telemetry.log('error', 'a use case failed', {
      useCase,
      userId: caller.userId,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
  return asRefusal(error);
}
