import { ERROR_NUMBERS } from './errors.ts';
import { described, integer, object, optional, ref, type Schema, text } from './schema.ts';

const DECIMAL = (description: string): Schema => text(description, { pattern: '^(?:0|[1-9][0-9]*)$' });
const CODE: Schema = text('The number of the refusal.', {});
const VERSION: Schema = { type: 'string', enum: ['1.0', '1.1', '1.2'] };
const CONTENT_TYPE: Schema = {
  type: 'string',
  const: 'text/plain;charset=UTF-8',
  description: 'The body is JSON all the same.',
};
const RECEIPT = optional(text('Asks for a RECEIPT with this text as `receipt-id`.'));
const SUBSCRIPTION_ID = text('Chosen by the client, at most 255 characters.', { maxLength: 255 });

/** A frame of STOMP that is no SEND and no MESSAGE. */
export interface Frame {
  readonly command: string;
  readonly from: 'client' | 'server';
  readonly what: string;
  readonly headers: Schema;
  /** Null: the frame has no body. */
  readonly body: Schema | null;
}

/** The headers of a SEND. */
export const SEND_HEADERS = object({
  destination: text('The address of the channel.'),
  receipt: RECEIPT,
  'content-type': optional(text('Ignored: the body is always JSON.')),
  traceparent: optional(text('W3C Trace Context: the parent of the trace of this frame. Used if it is well-formed.')),
  'content-length': optional(DECIMAL('The bytes of the body.')),
});

/** The headers of every MESSAGE. */
export const MESSAGE_HEADERS = object({
  destination: text('The address of the channel.'),
  'content-type': CONTENT_TYPE,
  subscription: text('The `id` of the subscription.'),
  'message-id': text('Unique within the subscription.'),
  seq: optional(DECIMAL('The number of the event. Only numbered events have it.')),
  'content-length': DECIMAL('The bytes of the body.'),
});

/** The frames of a connection beside SEND and MESSAGE. */
export const FRAMES: readonly Frame[] = [
  {
    command: 'CONNECT',
    from: 'client',
    what: 'begins a session; STOMP is the same',
    headers: object({
      'access-token': text('The token of the user, with or without `Bearer ` in front.', { minLength: 1 }),
      'accept-version': optional(text('The versions that the client speaks, split by commas. Without it: 1.0.')),
      'heart-beat': optional(
        text('Two numbers of milliseconds: how often the client can send, and wants to receive.', {
          pattern: '^ *[0-9]+ *, *[0-9]+ *$',
        }),
      ),
      'user-id': optional(text('If it is given, it must be the user of the token.')),
      host: optional(text('Ignored.')),
    }),
    body: null,
  },
  {
    command: 'CONNECTED',
    from: 'server',
    what: 'answers CONNECT',
    headers: object({ version: VERSION, 'heart-beat': { type: 'string', const: '10000,10000' } }),
    body: null,
  },
  {
    command: 'SUBSCRIBE',
    from: 'client',
    what: 'begins a subscription',
    headers: object({
      id: described(SUBSCRIPTION_ID, 'Chosen by the client, at most 255 characters. STOMP 1.0 may leave it out.'),
      destination: text('The address of a channel.'),
      'last-seq': optional(
        DECIMAL('Rooms and channels: asks for every event after this number. 0: from the beginning.'),
      ),
      receipt: RECEIPT,
    }),
    body: null,
  },
  {
    command: 'UNSUBSCRIBE',
    from: 'client',
    what: 'ends a subscription; after its RECEIPT no frame of the subscription follows',
    headers: object({ id: SUBSCRIPTION_ID, receipt: RECEIPT }),
    body: null,
  },
  {
    command: 'DISCONNECT',
    from: 'client',
    what: 'ends the session; its RECEIPT comes after the answers to all earlier frames',
    headers: object({ receipt: RECEIPT }),
    body: null,
  },
  {
    command: 'RECEIPT',
    from: 'server',
    what: 'says that a frame with a `receipt` was handled, and for a stored event that it is durable',
    headers: object({
      'receipt-id': text('The `receipt` of the frame.'),
      seq: optional(DECIMAL('Of a stored event, its number. Of a SUBSCRIBE, the newest number of the place.')),
      'message-id': optional(
        described(ref('MessageId'), 'Of a stored event, the id of the message that it creates or changes.'),
      ),
    }),
    body: null,
  },
  {
    command: 'ERROR',
    from: 'server',
    what: 'refuses a frame and ends the connection with close code 1002',
    headers: object({
      message: text('The reason, for developers.'),
      code: { ...CODE, enum: ERROR_NUMBERS.map(String) },
      'content-type': CONTENT_TYPE,
      'receipt-id': optional(text('The `receipt` of the refused frame.')),
      'retry-after-ms': optional(DECIMAL('With 2429: the same frame may be accepted after this time.')),
      version: optional(text('The versions of the server, where none of the client fits.')),
      'content-length': DECIMAL('The bytes of the body.'),
    }),
    body: object({
      code: { type: 'integer', enum: [...ERROR_NUMBERS] },
      message: text('The reason, for developers.'),
      'retry-after-ms': optional(integer(0, 'With 2429: the same frame may be accepted after this time.')),
    }),
  },
];
