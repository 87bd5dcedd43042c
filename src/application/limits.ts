/**
 * Limits that the application enforces, from the `LIMIT_...` variables. Limits of bytes on a
 * connection belong to the inbound adapters.
 */
export interface Limits {
  /** Characters (Unicode code points) of a message. */
  readonly contentChars: number;
  /** Messages of one user per second. Infinity switches the limit off. */
  readonly messagesPerSecond: number;
  /** Messages of one user that may come at once. */
  readonly messagesBurst: number;
  /** Shortest time between two typing notices of one user in one place. */
  readonly typingSeconds: number;
  /** Sessions of one user on this server. */
  readonly connectionsPerUser: number;
  /** Bytes of one uploaded file. */
  readonly uploadBytes: number;
  /** Uploads of one user per minute. Infinity switches the limit off. */
  readonly uploadsPerMinute: number;
  /** Messages of one history page. */
  readonly pageSize: number;
  /** Events that a resume replays. A client that missed more gets a reset. */
  readonly resumeEvents: number;
  /** How long a channel's member list is used before it is read again. */
  readonly channelStalenessSeconds: number;
  /** A member list with subscribers is read again before it is older than this. */
  readonly listStalenessSeconds: number;
}
