import type { HttpDeps } from '../../deps.ts';
import { sendJson } from '../../envelope.ts';
import type { ServiceHandler } from '../guard.ts';

/** Names the administrator of the token: `{"admin":"ops","pageActions":false}`. */
export function meRoute({ adminPageActions }: HttpDeps): ServiceHandler {
  return ({ admin }, _request, response) => sendJson(response, 200, { admin, pageActions: adminPageActions });
}
