import { Refusal } from '../../../domain/errors.ts';
import { type ConversationKey, parseConversationKey } from '../../../domain/place.ts';
import type { ClientHandler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { queryText } from '../query.ts';

/** Unread messages of the token's user in the places asked for, `places=r-5,c-11`. */
export function unreadRoute(deps: HttpDeps): ClientHandler {
  return async (caller, request, response) => {
    const texts = (queryText(request, 'places') ?? '').split(',');
    const places = texts.map(placeOf);
    const counts = await deps.application.unread(caller, { places });
    sendSuccess(
      response,
      counts.map(({ place, count, seq }) => ({ place, count, seq })),
    );
  };
}

function placeOf(text: string): ConversationKey {
  const place = parseConversationKey(text);
  if (place === null) throw new Refusal('bad-input', 'places is no list like r-5,c-11');
  return place;
}
