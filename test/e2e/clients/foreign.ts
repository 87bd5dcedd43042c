import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ForeignProgram } from '../../support/foreign/libraries.ts';
import type { Ear, Headers } from './ear.ts';
import type { Connect, Login, Voice } from './talker.ts';

/** A line that the program writes. */
interface Report {
  readonly as: string;
  readonly event: 'connected' | 'message' | 'receipt' | 'failed' | 'left';
  readonly headers?: Headers;
  readonly body?: string;
  readonly reason?: string;
}

interface Connection {
  readonly ear: Ear;
  readonly connected: PromiseWithResolvers<void>;
  readonly left: PromiseWithResolvers<void>;
}

/** Clients in a program of another language. One process has all connections. */
export class ForeignClients {
  readonly #child: ChildProcess;
  readonly #connections = new Map<string, Connection>();
  #errors = '';
  #count = 0;

  constructor({ program, args, env = {} }: ForeignProgram) {
    this.#child = spawn(program, [...args], { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdout, stderr, stdin } = this.#child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    stdin?.on('error', () => {});
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4_000);
    });
    let rest = '';
    // node:readline cannot be used, because it ends a line at U+2028 as well.
    stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(JSON.parse(line));
    });
    const ended = (how: string) => {
      for (const connection of this.#connections.values())
        fail(connection, `${program} ended (${how}): ${this.#errors}`);
    };
    this.#child.on('error', (error) => ended(error.message));
    this.#child.on('exit', (code, signal) => ended(`${code ?? signal}`));
  }

  readonly connect: Connect = async ({ url, token, userId, ear }: Login): Promise<Voice> => {
    this.#count += 1;
    const as = String(this.#count);
    const connection = { ear, connected: Promise.withResolvers<void>(), left: Promise.withResolvers<void>() };
    connection.left.promise.catch(() => {});
    this.#connections.set(as, connection);
    this.#tell({ op: 'connect', as, url, token, userId });
    await connection.connected.promise;
    return {
      subscribe: (destination, headers) => this.#tell({ op: 'subscribe', as, destination, headers }),
      unsubscribe: (id) => this.#tell({ op: 'unsubscribe', as, id }),
      send: (destination, body, headers) => this.#tell({ op: 'send', as, destination, body, headers }),
      leave: () => {
        this.#tell({ op: 'leave', as });
        return connection.left.promise;
      },
    };
  };

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  #tell(command: object): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  #hear({ as, event, headers = {}, body = '', reason = '' }: Report): void {
    const connection = this.#connections.get(as);
    if (connection === undefined) return;
    if (event === 'connected') connection.connected.resolve();
    else if (event === 'message') connection.ear.message(headers, body);
    else if (event === 'receipt') connection.ear.receipt(headers);
    else if (event === 'left') connection.left.resolve();
    else fail(connection, reason);
  }
}

function fail({ ear, connected, left }: Connection, reason: string): void {
  const error = new Error(reason);
  ear.fail(error);
  connected.reject(error);
  left.reject(error);
}
