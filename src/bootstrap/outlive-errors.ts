import type { Telemetry } from '../application/ports/telemetry.ts';

/**
 * Logs the errors of this process that nobody handles, and lets it go on. An error about one
 * client, or about one message between the processes, must not end the sessions of all clients. For
 * the time after the start: a failed start ends the process.
 */
export function outliveErrors(telemetry: Pick<Telemetry, 'log'>): void {
  process.on('uncaughtException', (error) => telemetry.log('error', 'uncaught exception', { error }));
  process.on('unhandledRejection', (error) => telemetry.log('error', 'unhandled rejection', { error }));
}
