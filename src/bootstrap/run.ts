import { SystemTelemetry } from '../adapters/system/telemetry.ts';
import { ChatServer } from './chat-server.ts';
import { ConfigError, type ReadConfig } from './config/config.ts';
import { readConfig } from './config/read-config.ts';
import { runWorkers, workerNumber } from './workers.ts';

/**
 * Runs the server that the environment describes, or the parent process of several workers.
 * Problems are written to standard error, and set an exit code: 2 for the configuration, 1 for a
 * failed start.
 */
export async function run(): Promise<void> {
  const read = configured();
  if (read === null) return;
  const { workers } = read.config.listen;
  if (workers === 1 || workerNumber() !== null) return serve(read);
  const telemetry = SystemTelemetry.create({ level: read.config.server.logLevel });
  for (const warning of read.warnings) telemetry.log('warn', warning);
  runWorkers(workers, (what, fields) => telemetry.log('info', what, fields));
}

function configured(): ReadConfig | null {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
    return null;
  }
}

async function serve({ config, secrets, warnings }: ReadConfig): Promise<void> {
  let server: ChatServer;
  try {
    server = await ChatServer.start({ config, secrets, worker: workerNumber() });
  } catch (error) {
    process.stderr.write(`the chat server did not start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    // A part that was only half started must not keep the process alive.
    setTimeout(() => process.exit(1), 2_000).unref();
    return;
  }
  const { telemetry } = server;
  if (workerNumber() === null) for (const warning of warnings) telemetry.log('warn', warning);
  telemetry.log('info', 'listening', { url: server.url, demo: config.demo });
  process.on('uncaughtException', (error) => telemetry.log('error', 'uncaught exception', { error }));
  process.on('unhandledRejection', (error) => telemetry.log('error', 'unhandled rejection', { error }));
  void server.failed.then((error) => {
    process.stderr.write(`the chat server stops: ${error.message}\n`);
    void server.stop().then(() => process.exit(1));
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      telemetry.log('info', 'stopping', { signal });
      // All parts have then stopped, and the process ends by itself.
      void server.stop().then(() => {
        telemetry.log('info', 'stopped');
        setTimeout(() => process.exit(0), 2_000).unref();
      });
    });
  }
}
