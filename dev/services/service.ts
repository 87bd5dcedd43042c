/**
 * Origin of a running service: a URL in the environment, a container, or a process from fetched
 * packages.
 */
export type ServiceSource = 'environment' | 'docker' | 'packages';

/** A service that runs for tests. All waits have timeouts. `stop` is idempotent. */
export interface RunningService {
  readonly source: ServiceSource;
  /**
   * Process id of the service. Undefined for a container or a service that the tests did not start.
   */
  readonly pid: number | undefined;
  /**
   * Ends the service and removes its data. A service that the tests did not start is left alone.
   */
  stop(): Promise<void>;
  /**
   * Sends SIGKILL. The data stay. @throws ServiceNotOurs for a service that the tests did not start
   */
  kill(): Promise<void>;
  /**
   * Sends SIGSTOP: connections stay open and nothing answers.
   * @throws ServiceNotOurs for a service that the tests did not start
   */
  freeze(): Promise<void>;
  /** Sends SIGCONT. @throws ServiceNotOurs for a service that the tests did not start */
  thaw(): Promise<void>;
  /** Starts the service again with the same port and data. Resolves when it answers. */
  restart(): Promise<void>;
  /** The last lines of the service's log. */
  logTail(): Promise<string>;
}

/** The service is not available on this machine. The message is human-readable and says why. */
export class ServiceUnavailable extends Error {
  override readonly name = 'ServiceUnavailable';
  readonly service: string;
  readonly reason: string;

  constructor(service: string, reason: string) {
    super(`no ${service}: ${reason}`);
    this.service = service;
    this.reason = reason;
  }
}

/** A test tried to kill, freeze or restart a service that it did not start. */
export class ServiceNotOurs extends Error {
  override readonly name = 'ServiceNotOurs';

  constructor(service: string, action: string) {
    super(`${service} comes from the environment, so a test cannot ${action} it; start one with { own: true }`);
  }
}

/**
 * A way to run a service: a container or a process. `start` does not wait until the service
 * answers.
 */
export interface ServiceEngine {
  readonly source: ServiceSource;
  readonly pid: number | undefined;
  start(): Promise<void>;
  terminate(): Promise<void>;
  kill(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** How the service ended. Undefined while it runs. */
  ended(): string | undefined;
  logTail(): Promise<string>;
  /** Ends the service and removes its data. */
  dispose(): Promise<void>;
}

export interface CommonOptions {
  /**
   * true: do not use the service that the environment names, because the test will kill or freeze
   * it.
   */
  readonly own?: boolean;
}
