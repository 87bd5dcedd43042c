import { createHmac } from 'node:crypto';

const VALID_SECONDS = 600;

/**
 * Makes a token of a user, as the service does that signs users in: a JWT with HS256.
 *
 * @param secret the server's `JWT_SECRET`: Base64 of at least 32 bytes
 */
export function makeToken(userId: number, name: string, secret: string): string {
  const now = Math.floor(Date.now() / 1000);
  const content = [
    { alg: 'HS256', typ: 'JWT' },
    { sub: name, id: userId, iat: now, exp: now + VALID_SECONDS },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const key = Buffer.from(secret, 'base64');
  return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`;
}
