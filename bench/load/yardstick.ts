import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of `bench/yardstick`, as a process. */
export interface Yardstick {
  readonly pid: number;
  /** The first line that the program printed. */
  readonly said: string;
  /** Resolves with the last line that the program printed, when it has ended. */
  readonly result: Promise<string>;
  stop(): Promise<void>;
}

export async function startYardstick(name: string, ...args: readonly string[]): Promise<Yardstick> {
  const file = fileURLToPath(new URL(`../yardstick/${name}.ts`, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const { stdout, pid } = child;
  if (stdout === null || pid === undefined) throw new Error(`${name} did not start`);
  const exit = once(child, 'exit');
  let text = '';
  stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await Promise.race([once(stdout, 'data'), exit]);
  if (text === '') throw new Error(`${name} ended`);
  return {
    pid,
    said: text.trim(),
    result: once(child, 'close').then(() => text.trim().split('\n').at(-1) ?? ''),
    stop: async () => {
      process.off('exit', kill);
      if (child.exitCode !== null) return;
      child.kill();
      await exit;
    },
  };
}
