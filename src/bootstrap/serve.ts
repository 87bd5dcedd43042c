import { releaseStartMemory } from '../adapters/support/release-start-memory.ts';
import { ChatServer } from './chat-server.ts';
import type { ReadConfig } from './config/config.ts';
import { reasonAgainstSamples, welcomeText } from './demo/welcome.ts';
import { outliveErrors } from './outlive-errors.ts';
import { reportFailedStart } from './start-failure.ts';

/**
 * Runs one server in this process until a signal ends it.
 * @param worker number of this worker process; null for a server of one process
 * @param withSamples fills an empty demo with sample conversations, and prints what to try
 */
export async function serve(
  { config, secrets, warnings }: ReadConfig,
  worker: number | null,
  withSamples: boolean,
): Promise<void> {
  const reason = withSamples ? reasonAgainstSamples(config) : null;
  const isDemo = withSamples && reason === null;
  let server: ChatServer;
  try {
    server = await ChatServer.start({ config, secrets, worker, withSamples: isDemo });
  } catch (error) {
    reportFailedStart(error);
    process.exitCode = 1;
    // A part that was only half started must not keep the process alive.
    setTimeout(() => process.exit(1), 2_000).unref();
    return;
  }
  const { telemetry } = server;
  releaseStartMemory();
  if (worker === null) for (const warning of warnings) telemetry.log('warn', warning);
  telemetry.log('info', 'listening', { url: server.url, demo: config.demo });
  if (reason !== null) telemetry.log('info', 'no sample conversations', { reason });
  if (isDemo) process.stdout.write(welcomeText(server.url, config.server.dataDir));
  outliveErrors(telemetry);
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
