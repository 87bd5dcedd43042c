import { type ChildProcess, fork } from 'node:child_process';

/** The message of the hub process to its parent when workers can connect. */
export const HUB_READY = 'hub ready';
/** The message of the parent that ends the hub process in order. */
export const HUB_STOP = 'hub stop';

/** Environment variable of the process that runs the hub. */
const HUB_VARIABLE = 'CHAT_HUB';
/** Pause before a hub that was never ready is started again, so that a defect costs no core. */
const RETRY_MS = 1_000;
const STOP_MS = 10_000;

/** True in the process that runs the parts which all workers share. */
export function isHubProcess(): boolean {
  return process.env[HUB_VARIABLE] === '1' && process.send !== undefined;
}

/** The process with the parts that all workers share. It is started again whenever it ends. */
export class HubSupervisor {
  readonly #log: (what: string, fields: Record<string, unknown>) => void;
  #child: ChildProcess | null = null;
  #isStopping = false;

  constructor(log: (what: string, fields: Record<string, unknown>) => void) {
    this.#log = log;
  }

  /**
   * Resolves to true when the hub is ready, and to false if its first start failed. The reason
   * is on standard error, or in the log if the system refused the process.
   */
  start(): Promise<boolean> {
    return new Promise((resolve) => this.#fork(resolve));
  }

  /** Ends the hub in order. Call it after the workers have ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.send(HUB_STOP);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }

  #forkLater(ms: number): void {
    setTimeout(() => !this.#isStopping && this.#fork(null), ms);
  }

  #fork(first: ((isReady: boolean) => void) | null): void {
    let child: ChildProcess;
    try {
      child = fork(String(process.argv[1]), process.argv.slice(2), { env: { ...process.env, [HUB_VARIABLE]: '1' } });
    } catch (error) {
      this.#log('the hub of the workers could not be started', { error });
      if (first === null) this.#forkLater(RETRY_MS);
      else first(false);
      return;
    }
    this.#child = child;
    let isReady = false;
    child.on('message', (message) => {
      if (message !== HUB_READY) return;
      isReady = true;
      first?.(true);
    });
    /** Starts the next hub. Does nothing where that has happened. */
    const ended = (code: number | null, signal: string | null): void => {
      if (this.#child !== child) return;
      this.#child = null;
      if (this.#isStopping) return;
      if (!isReady && first !== null) {
        first(false);
        return;
      }
      this.#log('the hub of the workers ended and is started again', { code, signal });
      this.#forkLater(isReady ? 0 : RETRY_MS);
    };
    child.on('exit', ended);
    child.on('error', (error) => {
      this.#log('the hub of the workers has an error', { error: error.message });
      // A process that was not started does not exit.
      if (child.pid === undefined) ended(null, null);
    });
  }
}
