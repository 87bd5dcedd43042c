import type { UserPlace } from '../../../application/membership/places-of-user.ts';
import type { ClientHandler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';

/** Lists the places of the token's user. */
export function placesRoute(deps: HttpDeps): ClientHandler {
  return async (caller, _request, response) => {
    const places = await deps.application.places(caller);
    sendSuccess(response, places.map(placeBody));
  };
}

function placeBody(place: UserPlace): object {
  switch (place.kind) {
    case 'room':
      return { place: place.place, kind: place.kind, name: null, members: place.members };
    case 'community':
      return { place: place.place, kind: place.kind, name: null };
    case 'channel': {
      const { communityId, name, isPublic } = place;
      return { place: place.place, kind: place.kind, communityId, name, public: isPublic };
    }
  }
}
