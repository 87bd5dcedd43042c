/**
 * Reads the access token of a header or body field, with or without `Bearer ` in front.
 * Null: there is no token.
 */
export function accessToken(text: string | undefined): string | null {
  const token = text?.replace(/^Bearer(?: +|$)/i, '').trim() ?? '';
  return token === '' ? null : token;
}
