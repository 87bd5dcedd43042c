import type { MessageId } from '../../domain/ids.ts';

export interface IdSource {
  /** A new message id: 24 hexadecimal digits, unique over all servers, growing with time in its first 8. */
  messageId(): MessageId;
  /** An unguessable text of 128 bits or more, safe in URLs: session ids, file keys. */
  secret(): string;
}
