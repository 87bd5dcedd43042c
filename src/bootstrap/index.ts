/** Starts a server inside another program, with foreign adapters where they are given. */
export type { AdapterParts, ForeignAdapters } from './adapters.ts';
export { ChatServer, type ChatServerOptions } from './chat-server.ts';
export { type Config, ConfigError, type ReadConfig, type Secrets } from './config/config.ts';
export { readConfig } from './config/read-config.ts';
