import { ConfigError, type ReadConfig } from './config/config.ts';
import { readConfig } from './config/read-config.ts';
import { HubSupervisor, isHubProcess } from './hub-supervisor.ts';
import { reportFailedStart } from './start-failure.ts';
import { workerNumber } from './worker-number.ts';

/**
 * Runs the server that the environment describes, or the parent process of several workers. With
 * workers, one more process holds the parts that live inside the server and that all workers share.
 * Problems are written to standard error, and set an exit code: 2 for the configuration, 1 for a
 * failed start.
 * @param withSamples fills an empty demo with sample conversations, and prints what to try
 */
export async function run(withSamples = false): Promise<void> {
  const read = configured();
  if (read === null) return;
  if (isHubProcess()) return runHubProcess(read);
  if (read.config.listen.workers === 1 || workerNumber() !== null) return runOne(read, withSamples);
  return runParent(read);
}

/** The parent process and the hub load little of what a worker needs. */
async function runOne(read: ReadConfig, withSamples: boolean): Promise<void> {
  const { serve } = await import('./serve.ts');
  await serve(read, workerNumber(), withSamples);
}

async function runHubProcess({ config }: ReadConfig): Promise<void> {
  const { runHub } = await import('./hub-process.ts');
  try {
    await runHub(config);
  } catch (error) {
    reportFailedStart(error);
    process.exit(1);
  }
}

async function runParent({ config, warnings }: ReadConfig): Promise<void> {
  const { runWorkers } = await import('./workers.ts');
  const { SystemTelemetry } = await import('../adapters/system/telemetry.ts');
  const { outliveErrors } = await import('./outlive-errors.ts');
  const telemetry = SystemTelemetry.create({ level: config.server.logLevel });
  for (const warning of warnings) telemetry.log('warn', warning);
  const log = (what: string, fields: Record<string, unknown>) => telemetry.log('info', what, fields);
  const hub = new HubSupervisor(log);
  if (!(await hub.start())) {
    process.exitCode = 1;
    return;
  }
  const { drainSeconds } = config.server;
  const { workers: count, host, port } = config.listen;
  runWorkers({ count, host, port, drainSeconds, log, stopped: () => void hub.stop() });
  outliveErrors(telemetry);
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
