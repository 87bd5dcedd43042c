import type { Logger } from 'pino';
import type { AuditEntry, AuditLog } from '../../application/ports/audit-log.ts';

/**
 * Writes audit entries as log lines with the subsystem `audit`. They are written at every
 * `LOG_LEVEL`, also at `silent`.
 */
export class LoggedAudit implements AuditLog {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger.child({ subsystem: 'audit' }, { level: 'info' });
  }

  record(entry: AuditEntry): void {
    this.#logger.info({ ...entry }, 'an administrator made a call');
  }
}
