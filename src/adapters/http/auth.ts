import type { IncomingMessage } from 'node:http';
import type { Application, Caller } from '../../application/application.ts';

/**
 * Who makes the request, by the token in the header `AUTHORIZATION`, bare or after `Bearer `.
 * @throws Refusal `no-token`, `bad-token`
 */
export function authenticate(application: Application, request: IncomingMessage): Caller {
  const claimed = request.headers['user-id'];
  return application.authenticate(tokenOf(request.headers.authorization), typeof claimed === 'string' ? claimed : null);
}

function tokenOf(header: string | undefined): string | null {
  const token = header?.replace(/^Bearer +/i, '').trim();
  return token === undefined || token === '' || /^Bearer$/i.test(token) ? null : token;
}
