/** The reasons of failed connections in words, by the error codes of Node.js. */
export const CONNECTION_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EAI_AGAIN: 'host not found',
  ENOTFOUND: 'host not found',
  ETIMEDOUT: 'no answer',
};
