import { Refusal } from '../../../domain/errors.ts';
import { parseId } from '../../../domain/ids.ts';
import type { MemberListKey } from '../../../domain/place.ts';
import { membersBody, parseBody } from '../bodies.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { readJsonBody } from '../json-body.ts';

// Lists of services are long: a community of half a million members still fits.
const LIST_BYTES = 8 * 1024 * 1024;

/** The whole list of a room's or community's members, `[1,2,3]`. */
export function membersRoute(deps: HttpDeps, keyOf: (id: number) => MemberListKey): Handler {
  const { application, limits } = deps;
  return async (request, response) => {
    const id = parseId(request.params.id);
    if (id === null) throw new Refusal('bad-input', 'the id in the path is not as it must be');
    const body = await readJsonBody(request, { bytes: LIST_BYTES, depth: limits.jsonDepth, ms: limits.bodyMs });
    const members = parseBody(membersBody, body);
    await application.replaceMembers(keyOf(id), members);
    sendSuccess(response);
  };
}
