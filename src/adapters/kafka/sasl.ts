/** How this server shows the brokers who it is. */
export interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  /** Must never be logged. */
  readonly password: string;
}
