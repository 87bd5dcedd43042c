import { Refusal } from '../../../../domain/errors.ts';
import { parseBody } from '../../bodies.ts';
import type { HttpDeps } from '../../deps.ts';
import { sendJson } from '../../envelope.ts';
import { readUsualJsonBody } from '../../json-body.ts';
import { traced } from '../../traced.ts';
import { messageBody } from '../bodies.ts';
import type { ServiceHandler } from '../guard.ts';
import { conversationInQuery, messageInPath } from '../params.ts';

/** Stores a message or reply in the name of a user. Answers `{"id":"...","seq":41}`. */
export function sendMessageRoute({ application, limits, spans }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const message = parseBody(messageBody, await readUsualJsonBody(request, limits));
    const { place, userId } = message;
    call.concerns({ userId, place });
    const { id, seq } = await traced(
      spans,
      'service',
      request,
      () => ({ call: 'sendMessage', place, userId }),
      () => application.service.sendMessage(message),
    );
    call.concerns({ messageId: id });
    sendJson(response, 200, { id, seq });
  };
}

/** Deletes a message of any author. Answers `{"id":"...","seq":42}`, with the deletion's number. */
export function deleteMessageRoute({ application, spans }: HttpDeps): ServiceHandler {
  return async (call, request, response) => {
    const messageId = messageInPath(request);
    call.concerns({ messageId });
    const place = conversationInQuery(request);
    if (place === null) throw new Refusal('bad-input', 'place is missing');
    call.concerns({ place });
    const { id, seq, userId } = await traced(
      spans,
      'service',
      request,
      () => ({ call: 'deleteMessage', place }),
      () => application.service.deleteMessage({ place, id: messageId }),
    );
    call.concerns({ userId });
    sendJson(response, 200, { id, seq });
  };
}
