import type { ServerProcess } from '../server-process.ts';
import type { StompClient } from '../stomp-client.ts';
import type { Part } from './troubles.ts';

/** The system under a storm. */
export interface Stage {
  readonly servers: readonly Pick<ServerProcess, 'id' | 'url' | 'port' | 'log'>[];
  /** The addresses for clients: each server's own, and that of a proxy in front of it. */
  readonly urls: readonly string[];
  readonly parts: readonly Part[];
  token(userId: number, seconds?: number): string;
  client(server: number, userId: number): Promise<StompClient>;
  /** Ends all parts and removes their data. */
  stop(): Promise<void>;
}
