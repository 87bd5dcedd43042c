import type { Request } from 'express';
import { Refusal } from '../../../domain/errors.ts';
import { parsePlaceKey } from '../../../domain/place.ts';
import { refusalNumber } from '../../transport/refusal-codes.ts';
import type { ClientHandler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { queryPlaces, queryText } from '../query.ts';

/**
 * Lists the members who have a session: of one place (`place=r-5`, also `c-11` and `com-1`), or of
 * each of several places (`places=r-5,com-1`).
 */
export function onlineRoute(deps: HttpDeps): ClientHandler {
  const { application } = deps;
  return async (caller, request, response) => {
    const one = queryText(request, 'place');
    if (one !== null) {
      const users = await application.online(caller, { place: onlyPlace(request, one) });
      sendSuccess(response, users.map(String));
      return;
    }
    if (queryText(request, 'places') === null) throw new Refusal('bad-input', 'place or places is missing');
    const places = queryPlaces(request, 'r-5,c-11,com-1', parsePlaceKey);
    const answers = await application.onlineInPlaces(caller, { places });
    sendSuccess(
      response,
      answers.map((answer) =>
        'refusal' in answer
          ? { place: answer.place, code: refusalNumber(answer.refusal.code) }
          : { place: answer.place, users: answer.users.map(String) },
      ),
    );
  };
}

function onlyPlace(request: Request, text: string) {
  if (queryText(request, 'places') !== null)
    throw new Refusal('bad-input', 'only one of place and places may be given');
  const place = parsePlaceKey(text);
  if (place === null) throw new Refusal('bad-input', 'place must be like r-5, c-11 or com-1');
  return place;
}
