import { Refusal } from '../../../domain/errors.ts';
import { parseId } from '../../../domain/ids.ts';
import type { MemberListKey } from '../../../domain/place.ts';
import { membersBody, parseBody } from '../bodies.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import { sendSuccess } from '../envelope.ts';
import { readJsonBody } from '../json-body.ts';

/** A community of half a million members fits. */
const MAX_LIST_BYTES = 8 * 1024 * 1024;

/** Replaces the member list of a room or community. The body is the whole list, `[1,2,3]`. */
export function membersRoute(deps: HttpDeps, keyOf: (id: number) => MemberListKey): Handler {
  const { application, limits } = deps;
  return async (request, response) => {
    const id = parseId(request.params.id);
    if (id === null) throw new Refusal('bad-input', 'the id in the path must be a positive integer');
    const body = await readJsonBody(request, { bytes: MAX_LIST_BYTES, depth: limits.jsonDepth, ms: limits.bodyMs });
    const members = parseBody(membersBody, body);
    await application.replaceMembers(keyOf(id), members);
    sendSuccess(response);
  };
}
