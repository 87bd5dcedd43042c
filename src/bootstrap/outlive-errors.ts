import type { Telemetry } from '../application/ports/telemetry.ts';

/**
 * Logs the errors of this process that nobody handles, and lets it go on: an error about one client
 * must not end the sessions of all others.
 */
export function outliveErrors(telemetry: Pick<Telemetry, 'log'>): void {
  process.on('uncaughtException', (error) => telemetry.log('error', 'uncaught exception', { error }));
  process.on('unhandledRejection', (error) => telemetry.log('error', 'unhandled rejection', { error }));
}
