import { Refusal } from '../../../domain/errors.ts';
import { parsePlaceKey } from '../../../domain/place.ts';
import type { ClientHandler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { queryText } from '../query.ts';

/** Lists the members of a place (`r-5`, `c-11`, `com-1`) who have a session. */
export function onlineRoute(deps: HttpDeps): ClientHandler {
  return async (caller, request, response) => {
    const text = queryText(request, 'place');
    if (text === null) throw new Refusal('bad-input', 'place is missing');
    const place = parsePlaceKey(text);
    if (place === null) throw new Refusal('bad-input', 'place must be like r-5, c-11 or com-1');
    const users = await deps.application.online(caller, { place });
    sendSuccess(response, users.map(String));
  };
}
