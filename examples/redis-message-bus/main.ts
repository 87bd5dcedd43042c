/**
 * Starts a chat server with the Redis bus. `REDIS_BUS_URL` is the address of Redis; all other
 * variables are the server's own.
 */
import { ChatServer, readConfig } from 'chat-server/bootstrap';
import { RedisMessageBus } from './redis-message-bus.ts';

const url = process.env.REDIS_BUS_URL ?? 'redis://127.0.0.1:6379';
const { config, secrets } = readConfig(process.env);
const server = await ChatServer.start({
  config,
  secrets,
  adapters: { bus: ({ serverId, telemetry }) => new RedisMessageBus({ url, serverId, telemetry }) },
});
server.telemetry.log('info', 'listening', { url: server.url });
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.stop());
