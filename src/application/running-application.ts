import type { Application } from './application.ts';
import type { DataJobFigures } from './retention/data-jobs.ts';

/** The present values of the application, for the metrics. */
export interface ApplicationFigures {
  /** Live servers that this one knows, itself included. */
  readonly servers: number;
  /** Users with a session on this server. */
  readonly usersHere: number;
  /** Users with a session on any server. */
  readonly users: number;
  /** Stored events that wait in this process for the bus. */
  readonly waitingEvents: number;
  /** Batches of all servers that have waited for the bus for some seconds; at most 200. */
  readonly outboxBatches: number;
  readonly jobs: DataJobFigures;
}

/** The application with its life cycle, which bootstrap controls. */
export interface RunningApplication extends Application {
  figures(): ApplicationFigures;
  /** Joins the bus. Resolves when this server hears every record that is written from then on. */
  start(): Promise<void>;
  /**
   * Finishes the work that was accepted, after the clients are gone: stores and publishes the
   * waiting events and reports the ended sessions to the presence service and the other servers.
   * Takes at most `withinMs` milliseconds. Bootstrap closes the bus and the store after this.
   */
  stop(withinMs: number): Promise<void>;
}
