import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { WebSocket } from 'ws';
import { isProgram } from './chromium.ts';
import { LocalProcess } from './local-process.ts';
import { ServiceUnavailable } from './service.ts';
import { skipOrFail } from './shared.ts';

const NAMES = ['firefox-esr', 'firefox'];
const START_MS = 60_000;
const ANSWER_MS = 30_000;
const LISTENING = /WebDriver BiDi listening on (ws:\S+)/;

/** A headless Firefox has no mouse by itself: this one is fine and can hover. */
const PREFERENCES = ['primary', 'all'].map((name) => `user_pref("ui.${name}PointerCapabilities", 6);\n`).join('');

type Json = Record<string, unknown>;

interface Pending {
  resolve(result: Json): void;
  reject(error: Error): void;
}

/** Finds the browser's program: FIREFOX, or the first known name on the PATH. */
function firefoxPath(): string | undefined {
  if (process.env.FIREFOX) return process.env.FIREFOX;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isProgram);
}

/**
 * A headless Firefox, driven by WebDriver BiDi. The driver is written here, because that of
 * playwright-core sends commands that the Firefox of Debian does not know.
 */
export class Firefox {
  readonly #process: LocalProcess;
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  private constructor(process: LocalProcess, socket: WebSocket) {
    this.#process = process;
    this.#socket = socket;
    socket.on('message', (data) => this.#answered(JSON.parse(String(data))));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('Firefox has ended'));
      this.#pending.clear();
    });
  }

  /** @throws ServiceUnavailable */
  static async start(): Promise<Firefox> {
    const program = firefoxPath();
    if (program === undefined) {
      throw new ServiceUnavailable('Firefox', `none of ${NAMES.join(', ')} is on the PATH, and FIREFOX is not set`);
    }
    const folder = await mkdtemp(join(tmpdir(), 'chat-firefox-'));
    await writeFile(join(folder, 'user.js'), PREFERENCES);
    const args = ['--headless', '--no-remote', '--remote-debugging-port=0', '--profile', folder];
    const process = new LocalProcess({ program, args, folder, env: { HOME: folder, MOZ_CRASHREPORTER_DISABLE: '1' } });
    try {
      await process.start();
      const socket = new WebSocket(`${await addressOf(process)}/session`, { perMessageDeflate: false });
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      const firefox = new Firefox(process, socket);
      await firefox.send('session.new', { capabilities: {} });
      return firefox;
    } catch (error) {
      await process.dispose();
      throw new ServiceUnavailable('Firefox', `${program} did not start: ${messageOf(error)}`);
    }
  }

  /** Sends a command of WebDriver BiDi. @throws Error that the browser answers */
  send(method: string, params: Json): Promise<Json> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<Json>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MS);
      this.#pending.set(id, {
        resolve: (result) => {
          clearTimeout(late);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(late);
          reject(error);
        },
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  async close(): Promise<void> {
    this.#socket.terminate();
    await this.#process.dispose();
  }

  #answered({ id, type, result, message }: Json): void {
    const pending = this.#pending.get(Number(id));
    if (pending === undefined) return;
    this.#pending.delete(Number(id));
    if (type === 'success') pending.resolve(result as Json);
    else pending.reject(new Error(String(message)));
  }
}

/**
 * Starts a Firefox for one test. Without one, the test is skipped with the reason, or fails when CI
 * is set.
 */
export async function firefoxOrSkip(context: TestContext): Promise<Firefox> {
  try {
    return await Firefox.start();
  } catch (error) {
    return skipOrFail(context, error);
  }
}

async function addressOf(process: LocalProcess): Promise<string> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && process.ended() === undefined) {
    const address = LISTENING.exec(await process.logTail())?.[1];
    if (address !== undefined) return address;
    await delay(50);
  }
  throw new Error(`no WebDriver BiDi; the end of its output:\n${await process.logTail()}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
