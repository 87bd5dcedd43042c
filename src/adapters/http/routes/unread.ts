import { parseConversationKey } from '../../../domain/place.ts';
import { refusalNumber } from '../../transport/refusal-codes.ts';
import type { ClientHandler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { queryPlaces } from '../query.ts';

/** Counts the unread messages of the token's user in the places of the query, `places=r-5,c-11`. */
export function unreadRoute(deps: HttpDeps): ClientHandler {
  return async (caller, request, response) => {
    const places = queryPlaces(request, 'r-5,c-11', parseConversationKey);
    const answers = await deps.application.unread(caller, { places });
    sendSuccess(
      response,
      answers.map((answer) =>
        'refusal' in answer
          ? { place: answer.place, code: refusalNumber(answer.refusal.code) }
          : { place: answer.place, count: answer.count, seq: answer.seq },
      ),
    );
  };
}
