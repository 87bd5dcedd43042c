import { pino } from 'pino';
import { readStandInConfig } from './config.ts';
import { startStandIns } from './server.ts';

const logger = pino({ name: 'stand-ins', level: process.env.LOG_LEVEL ?? 'info' });

try {
  const standIns = await startStandIns({ ...readStandInConfig(process.env), logger });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'stopping');
      void standIns.stop();
    });
  }
} catch (error) {
  logger.fatal({ err: error }, 'the stand-ins cannot start');
  process.exitCode = 1;
}
