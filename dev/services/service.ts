/** Where a running service came from: a URL in the environment, a container, or a process of the fetched packages. */
export type ServiceSource = 'environment' | 'docker' | 'packages';

/** What every service started for a test can do. Times are bounded; `stop` may be called any number of times. */
export interface RunningService {
  readonly source: ServiceSource;
  /** Process id of the server itself; undefined for a container or a service of the environment. */
  readonly pid: number | undefined;
  /** Ends the service and removes its data. A service of the environment is left alone. */
  stop(): Promise<void>;
  /** SIGKILL: the service is gone without a farewell; its data stay. Throws ServiceNotOurs for one of the environment. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. Throws ServiceNotOurs for one of the environment. */
  freeze(): Promise<void>;
  /** SIGCONT. Throws ServiceNotOurs for one of the environment. */
  thaw(): Promise<void>;
  /** Up again on the same port and data, whether it ran or had been killed; resolves when it answers. */
  restart(): Promise<void>;
  /** The last lines that the service logged. */
  logTail(): Promise<string>;
}

/** The service can't be had on this machine; the message says why, in words for the person who runs the tests. */
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

/** Somebody asked to kill, freeze or restart a service that the environment lent. */
export class ServiceNotOurs extends Error {
  override readonly name = 'ServiceNotOurs';

  constructor(service: string, action: string) {
    super(`${service} comes from the environment, so it can't be told to ${action}; start one with { own: true }`);
  }
}

/** One way to run a service: a container or a process. `start` launches it and does not wait until it answers. */
export interface ServiceEngine {
  readonly source: ServiceSource;
  readonly pid: number | undefined;
  start(): Promise<void>;
  terminate(): Promise<void>;
  kill(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** How the service ended, when it has ended. */
  ended(): string | undefined;
  logTail(): Promise<string>;
  /** Ends the service and removes all that it left. */
  dispose(): Promise<void>;
}

export interface CommonOptions {
  /** True: never take the service of the environment, since the test will kill or freeze it. */
  readonly own?: boolean;
}
