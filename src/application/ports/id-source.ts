import type { MessageId } from '../../domain/ids.ts';

/** Makes ids. It is a port so that tests can predict ids. */
export interface IdSource {
  /**
   * A new message id: 24 hexadecimal digits, unique over all servers. The first 8 digits are the
   * seconds since 1970.
   */
  messageId(): MessageId;
  /**
   * A text that nobody can guess, of 128 bits or more, safe in URLs. For session ids and file keys.
   */
  secret(): string;
}
