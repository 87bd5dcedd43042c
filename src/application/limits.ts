/** Limits that the application itself keeps; those of bytes on a connection are the inbound adapters'. From the `LIMIT_...` variables. */
export interface Limits {
  /** Characters (UTF-16 units) of a message. */
  readonly contentChars: number;
  /** Sends a user and second, and how many may come at once. Infinity where limits are lifted. */
  readonly messagesPerSecond: number;
  readonly messagesBurst: number;
  /** One typing notice a user and place in so many seconds. */
  readonly typingSeconds: number;
  readonly connectionsPerUser: number;
  readonly uploadBytes: number;
  readonly uploadsPerMinute: number;
  readonly pageSize: number;
  /** Events that a resume replays at most. */
  readonly resumeEvents: number;
  readonly channelStalenessSeconds: number;
}
