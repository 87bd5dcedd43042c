/** The access token in a header or body field, without the `Bearer ` that many clients put before it. Null: there is no token. */
export function accessToken(text: string | undefined): string | null {
  const token = text?.replace(/^Bearer(?: +|$)/i, '').trim() ?? '';
  return token === '' ? null : token;
}
