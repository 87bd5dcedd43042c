import { mkdir } from 'node:fs/promises';
import { Hub } from '../adapters/hub/hub.ts';
import { MemoryMemberCache } from '../adapters/memory/member-cache.ts';
import { MemorySessionReporter } from '../adapters/memory/session-reporter.ts';
import { MemorySharedRates } from '../adapters/memory/shared-rates.ts';
import { releaseStartMemory } from '../adapters/support/release-start-memory.ts';
import { SystemTelemetry } from '../adapters/system/telemetry.ts';
import type { SharedRateLimits } from '../application/ports/shared-rates.ts';
import { sharedRateLimits } from '../application/rates.ts';
import { serveBackups } from './backup-socket.ts';
import type { Config } from './config/config.ts';
import { HUB_READY, HUB_STOP } from './hub-supervisor.ts';
import { Lifecycle } from './lifecycle.ts';
import { outliveErrors } from './outlive-errors.ts';
import { sharedParts } from './shared-parts.ts';
import { startStep } from './start-failure.ts';

/** With `LIMITS=off` no worker asks. */
const NO_LIMITS: SharedRateLimits = { message: { actions: 1, seconds: 1 }, upload: { actions: 1, seconds: 1 } };
/** Milliseconds that each part may take to stop. */
const STOP_EACH_MS = 8_000;

/**
 * Runs the parts that the workers share, until the parent process asks for the end or has ended.
 * The hub outlives the workers, which store and report their last events in it. So it does not end
 * on a signal that a terminal sends to all processes.
 * @throws StartFailure
 */
export async function runHub(config: Config): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => {});
  const telemetry = SystemTelemetry.create({ level: config.server.logLevel, base: { server: 'hub' } });
  const lifecycle = new Lifecycle((name, error) =>
    telemetry.log('warn', 'a part of the hub did not stop', { name, error }),
  );
  const parts = sharedParts(config);
  const step = { variable: 'DATA_DIR', fileHint: 'set DATA_DIR to a folder that the server can write' };
  await startStep(step, async () => {
    await mkdir(config.server.dataDir, { recursive: true });
    // First, because it locks its file. A second server with the same folder fails here.
    if (parts.database !== null) await openDatabase(config, parts.database, lifecycle, telemetry);
    await openHub(parts.hub, config, lifecycle);
  });
  const end = (code: number): void => void lifecycle.stop(STOP_EACH_MS).then(() => process.exit(code));
  void lifecycle.failed.then((error) => {
    telemetry.log('error', 'the hub stops', { error });
    end(1);
  });
  process.on('message', (message) => {
    if (message === HUB_STOP) end(0);
  });
  process.on('disconnect', () => end(0));
  outliveErrors(telemetry);
  releaseStartMemory();
  process.send?.(HUB_READY);
}

async function openDatabase(
  { store, server }: Config,
  socketPath: string,
  lifecycle: Lifecycle,
  telemetry: SystemTelemetry,
): Promise<void> {
  if (store.kind !== 'sqlite') return;
  const { DatabaseHost } = await import('../adapters/sqlite/database-host.ts');
  const host = await DatabaseHost.open(store.file, socketPath);
  lifecycle.onStop('database', () => host.close());
  void host.failed.then((error) => lifecycle.fail(error));
  await serveBackups({ dataDir: server.dataDir, backUp: (target) => host.backUp(target), lifecycle, telemetry });
}

async function openHub(path: string, { limits }: Config, lifecycle: Lifecycle): Promise<void> {
  const presence = new MemorySessionReporter({ onVoiceLeft: (left) => hub.voiceLeft(left) });
  const rates = new MemorySharedRates(sharedRateLimits(limits) ?? NO_LIMITS);
  const ports = { presence, members: new MemoryMemberCache(), rates };
  const hub: Hub = new Hub(path, ports, { onDeserted: () => presence.forgetAll() });
  await hub.listen();
  lifecycle.onStop('hub', () => hub.close());
}
