import type { RefusalCode } from '../../domain/errors.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';

/** The person, place or thing that a call of an administrator concerns. */
export interface AuditSubject {
  readonly userId?: UserId;
  readonly place?: PlaceKey;
  readonly messageId?: MessageId;
  /** Id of a job or a trace. */
  readonly id?: string;
}

/** A call that an administrator made. */
export interface AuditEntry extends AuditSubject {
  /** Name of the administrator in `ADMIN_TOKENS`. */
  readonly admin: string;
  /** Name of the call, such as `banUser`. */
  readonly call: string;
  readonly outcome: 'done' | RefusalCode;
}

/**
 * Keeps who did what to whom, and when. An entry holds names of administrators, ids and kinds. It
 * never holds texts, names of users or tokens.
 *
 * `record` returns at once and never throws. Entries are kept in the order of the calls, with the
 * time of the call, whatever level of log lines is configured.
 */
export interface AuditLog {
  record(entry: AuditEntry): void;
}
