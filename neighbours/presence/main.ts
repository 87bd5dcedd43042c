import { pino } from 'pino';
import { readPresenceConfig } from './config.ts';
import { startPresence } from './server.ts';

const logger = pino({ name: 'presence', level: process.env.LOG_LEVEL ?? 'info' });

try {
  const presence = await startPresence({ ...readPresenceConfig(process.env), logger });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'stopping');
      void presence.stop();
    });
  }
} catch (error) {
  logger.fatal({ err: error }, 'the presence service cannot start');
  process.exitCode = 1;
}
