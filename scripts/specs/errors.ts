import { refusalNumber } from '../../src/adapters/transport/refusal-codes.ts';
import type { RefusalCode } from '../../src/domain/errors.ts';

/** The reference of one refusal. */
export interface ErrorEntry {
  /** A short name. */
  readonly title: string;
  readonly meaning: string;
  /** What leads to it, one sentence each. */
  readonly causes: readonly string[];
  /** What the developer of a client does about it, one sentence each. */
  readonly remedies: readonly string[];
  /** If and when the same request may succeed. */
  readonly retry: string;
}

/** The reference of all refusals. A code that is missing here does not compile. */
export const ERRORS: Readonly<Record<RefusalCode, ErrorEntry>> = {
  'bad-input': {
    title: 'Bad input',
    meaning: 'The request is not valid: a field is missing, has a wrong form, or contradicts another field.',
    causes: [
      'The body is not valid JSON or not a JSON object.',
      'A field or parameter is missing or has another type. The message names it.',
      '`content` shows nothing: it is empty or has only white space and invisible characters.',
      'A nonce has more than 64 characters, or was used before for another place, kind or target.',
      'A destination or call does not exist.',
      'A frame is not valid STOMP, or comes before CONNECT.',
    ],
    remedies: [
      'Read the message: it names the field and the allowed values.',
      'Compare the body with its schema in `/asyncapi.json` or `/openapi.json`.',
      'Give up the message. The server would refuse it again.',
    ],
    retry: 'no',
  },
  'no-token': {
    title: 'No token',
    meaning: 'The request needs a token and has none.',
    causes: [
      'CONNECT has no header `access-token`.',
      'A call has no header `Authorization`.',
      'A proxy removed the header.',
    ],
    remedies: ['Send the token, with or without `Bearer ` in front.', 'Check that the proxy passes the header on.'],
    retry: 'with a token',
  },
  'bad-token': {
    title: 'Bad token',
    meaning: 'The token is forged, has expired, or belongs to another user.',
    causes: [
      'The token has expired. A live session then ends with ERROR 2102.',
      'The issuer and the server have different secrets, or `JWT_SECRET_ENCODING` is wrong.',
      'The header `user-id` names another user than the token.',
      'The claim `sub` is empty, or `id`, `iat` or `exp` is missing or is not a number.',
      'A call of the service API has a token that is not in `ADMIN_TOKENS`.',
    ],
    remedies: [
      'Get a fresh token and connect again.',
      'SEND a fresh token to `/kafka/token` before the old one expires.',
      'Compare `JWT_SECRET` and `JWT_SECRET_ENCODING` with the settings of the issuer.',
    ],
    retry: 'with a fresh token',
  },
  'not-permitted': {
    title: 'Not permitted',
    meaning: 'This user or caller may not do this.',
    causes: [
      'The user is not a member of the room, channel or community, or no longer.',
      'The user is banned or muted, or an administrator ended the sessions.',
      'The moderator refused the text.',
      '`userId` in a body is not the user of the token.',
      'The call is for services or administrators, or the page has an origin that is not allowed.',
    ],
    remedies: [
      'Show the message to the user and give up the request.',
      'After an ERROR with this code, connect once more. If CONNECT gets it too, wait for the user.',
      'Check `ALLOWED_ORIGINS`, `SERVICE_TOKEN`, `SERVICE_NETWORKS` or `ADMIN_TOKENS` for the call.',
    ],
    retry: 'no',
  },
  'not-the-author': {
    title: 'Not the author',
    meaning: 'Only the author may edit or delete a message, and this user is not the author.',
    causes: ['A SEND to a `-modify` or `-delete` destination names a message of another user.'],
    remedies: [
      'Offer these commands only for messages whose `userId` is the own user.',
      'An administrator deletes the message by `DELETE /chat-server/service/messages/{id}`.',
    ],
    retry: 'no',
  },
  'store-failed': {
    title: 'The database failed',
    meaning: 'The database refused the operation. The event may still have been stored.',
    causes: ['The database is full, read-only or damaged, or its user lacks a permission.'],
    remedies: [
      'Send the same message with the same nonce again, after a growing pause.',
      'Operators find the reason in the log and on the health page.',
    ],
    retry: 'later',
  },
  internal: {
    title: 'A defect of the server',
    meaning: 'The server failed unexpectedly. The event may still have been stored.',
    causes: ['A defect. The log has a line of level `error`.'],
    remedies: [
      'Send the same message with the same nonce again, after a growing pause.',
      'Report the log line to the developers of the server.',
    ],
    retry: 'later',
  },
  'too-large': {
    title: 'Too large',
    meaning: 'A text, a body, a frame or a file is larger than its limit.',
    causes: [
      '`content` has more than `LIMIT_CONTENT_CHARS` characters, or `name` or `profileImage` is too long.',
      'A frame has more than `LIMIT_FRAME_BYTES` bytes or its headers more than `LIMIT_HEADER_BYTES`.',
      'A file has more than `LIMIT_UPLOAD_BYTES` bytes, or a JSON body more than 1 MiB.',
    ],
    remedies: ['Check the size before you send.', 'Give up the message. The server would refuse it again.'],
    retry: 'no',
  },
  'too-fast': {
    title: 'Too fast',
    meaning: 'The user sends too often, or has too many connections or subscriptions.',
    causes: [
      'More than `LIMIT_MESSAGES_PER_SECOND` messages a second.',
      'The place is in slow mode.',
      'More than `LIMIT_UPLOADS_PER_MINUTE` uploads a minute, or too many at the same time.',
      'More than `LIMIT_SUBSCRIPTIONS` subscriptions of a connection, or too many connections.',
    ],
    remedies: ['Wait for `retry-after-ms` milliseconds, then send the same message with the same nonce.'],
    retry: 'after `retry-after-ms`',
  },
  'try-again': {
    title: 'Try again later',
    meaning: 'A part that is needed does not answer now. The event may still have been stored.',
    causes: [
      'The database, the community service or the file store does not answer.',
      'The moderator does not answer, and `MODERATOR_DEFAULT` is `refuse`.',
      'The server has just started and has not read the bans yet.',
    ],
    remedies: [
      'Send the same message with the same nonce again, after a growing pause.',
      'Operators see the part on the health page, under `degraded`.',
    ],
    retry: 'yes',
  },
  'message-not-found': {
    title: 'Message not found',
    meaning: 'The message to edit, delete or answer does not exist in that place, or was deleted.',
    causes: [
      'Another command deleted the message meanwhile.',
      'The id belongs to a message of another room or channel.',
      'The service API also answers 404 with this code for other things, such as jobs.',
    ],
    remedies: ['Remove the message from the view and give up the command.'],
    retry: 'no',
  },
};

/** A refusal with its number on the wire. */
export interface NumberedError extends ErrorEntry {
  readonly code: RefusalCode;
  readonly number: number;
}

/** All refusals in the order of their numbers. */
export const NUMBERED_ERRORS: readonly NumberedError[] = (Object.keys(ERRORS) as RefusalCode[])
  .map((code) => ({ code, number: refusalNumber(code), ...ERRORS[code] }))
  .sort((one, other) => one.number - other.number);

/** The numbers of all refusals, in order. */
export const ERROR_NUMBERS: readonly number[] = NUMBERED_ERRORS.map(({ number }) => number);

/** The link to the entry of a refusal on the page of errors, with its number as text. */
export function errorLink(code: RefusalCode): string {
  const number = refusalNumber(code);
  return `[${number}](errors.md#code-${number}-${ERRORS[code].title.toLowerCase().replaceAll(' ', '-')})`;
}
