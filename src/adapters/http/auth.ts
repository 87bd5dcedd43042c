import type { IncomingMessage } from 'node:http';
import type { Application, Caller } from '../../application/application.ts';
import { accessToken } from '../transport/access-token.ts';

/**
 * The caller of a request, by the token in the header `Authorization`, with or without `Bearer ` in
 * front.
 * @throws Refusal `no-token`, `bad-token`
 */
export function authenticate(application: Application, request: IncomingMessage): Caller {
  const claimed = request.headers['user-id'];
  return application.authenticate(
    accessToken(request.headers.authorization),
    typeof claimed === 'string' ? claimed : null,
  );
}
