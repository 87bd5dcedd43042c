import { Refusal } from '../../../domain/errors.ts';
import { type ConversationKey, parseConversationKey } from '../../../domain/place.ts';
import type { ClientHandler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { queryText } from '../query.ts';

/** Counts the unread messages of the token's user in the places of the query, `places=r-5,c-11`. */
export function unreadRoute(deps: HttpDeps): ClientHandler {
  return async (caller, request, response) => {
    const list = queryText(request, 'places');
    if (list === null) throw new Refusal('bad-input', 'places is missing');
    const places = list === '' ? [] : list.split(',').map(placeOf);
    const counts = await deps.application.unread(caller, { places });
    sendSuccess(
      response,
      counts.map(({ place, count, seq }) => ({ place, count, seq })),
    );
  };
}

function placeOf(text: string): ConversationKey {
  const place = parseConversationKey(text);
  if (place === null) throw new Refusal('bad-input', 'places must be a list like r-5,c-11');
  return place;
}
