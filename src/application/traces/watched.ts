import { Refusal } from '../../domain/errors.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { Caller, Command, Query } from '../commands.ts';
import type { AfterCommit } from '../ordering/sequencer.ts';
import { factsOf } from './event-facts.ts';
import type { TraceTable } from './trace-table.ts';

/** Shows the events of each batch to the traces before the other steps. */
export function watchedCommits(traces: TraceTable, next: AfterCommit): AfterCommit {
  return (place, events, since, positions) => {
    if (traces.isActive) {
      for (const event of events) {
        const facts = factsOf(event);
        traces.saw({ step: 'stored', userId: facts.author, place, ...facts });
      }
    }
    next(place, events, since, positions);
  };
}

/** Shows the calls of a query to the traces. @param kind the name of the query in the steps */
export function watchedQuery<Input, Output>(
  traces: TraceTable,
  kind: string,
  query: Query<Input, Output>,
): Query<Input, Output> {
  return (caller, input) => {
    if (!traces.isActive) return query(caller, input);
    const seen = { kind, userId: caller.userId, place: placeIn(input) };
    traces.saw({ step: 'asked', ...seen });
    const answer = query(caller, input);
    answer.catch((error: unknown) => traces.saw({ step: 'refused', ...seen, reason: reasonOf(error) }));
    return answer;
  };
}

/** Shows uploads to the traces. They come by HTTP, so no session reports them. */
export function watchedUpload<Input, Output>(
  traces: TraceTable,
  upload: Command<Input, Output>,
): Command<Input, Output> {
  return async (caller: Caller, input) => {
    if (!traces.isActive) return upload(caller, input);
    const seen = { kind: 'file', userId: caller.userId };
    traces.saw({ step: 'sent', ...seen });
    const refused = (error: unknown): void => traces.saw({ step: 'refused', ...seen, reason: reasonOf(error) });
    try {
      const accepted = await upload(caller, input);
      accepted.result.catch(refused);
      return accepted;
    } catch (error) {
      refused(error);
      throw error;
    }
  };
}

function placeIn(input: unknown): PlaceKey | null {
  const has = typeof input === 'object' && input !== null && 'place' in input;
  return has ? (input.place as PlaceKey) : null;
}

function reasonOf(error: unknown): string {
  return error instanceof Refusal ? error.code : 'internal';
}
