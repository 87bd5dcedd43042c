import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { ServerProcess } from '../../dev/server-process.ts';
import { ServiceUnavailable } from '../../dev/services/service.ts';
import { skipOrFail } from '../../dev/services/shared.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const CAREFUL = `${EXAMPLES}careful-client/main.ts`;
const SECRET = Buffer.from('a secret of the tests, 32 bytes and more').toString('base64');

/** A program of the examples, with its output line by line. */
class Program {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(program, args, {
      cwd: EXAMPLES,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    if (this.process.stdout === null) throw new Error(`${program} has no output`);
    this.#lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    onTestFinished(() => void this.process.kill('SIGKILL'));
  }

  static node(file: string, args: readonly string[], env?: Readonly<Record<string, string>>): Program {
    return new Program(process.execPath, ['--conditions=chat-server-source', file, ...args], env);
  }

  type(text: string): void {
    this.process.stdin?.write(text);
  }

  /** The next lines of its output. */
  async next(count: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < count) found.push((await this.#lines.next()).value);
    return found;
  }
}

async function startServer(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const server = await ServerProcess.start({ env });
  onTestFinished(() => server.dispose());
  return server;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chat-example-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it('runs the careful client, which sends once, in order and without a loss when the server is killed', async () => {
  const server = await startServer();
  const client = Program.node(CAREFUL, [server.url]);
  client.type('one\n');
  // The message comes live, or with the history that the client reads at its start.
  expect(await client.next(1)).toEqual([expect.stringMatching(/^1 .+: one$/)]);
  await server.kill();
  client.type('two\nthree\n');
  await server.restart();
  client.type(`${'x'.repeat(8_001)}\nfour\n`);
  const rest = await client.next(4);
  expect(rest.filter((line) => !line.startsWith('not'))).toEqual(
    ['two', 'three', 'four'].map((text, i) => expect.stringMatching(`^${i + 2} .+: ${text}$`)),
  );
  expect(rest).toContain('not sent: content has 8,001 characters; the limit is 8,000');
});

it('shows a careful client in less than 30 lines', () => {
  expect(readFileSync(CAREFUL, 'utf8').trimEnd().split('\n').length).toBeLessThan(30);
});

it('runs the Python client, which sends once, in order and without a loss when the server is killed', async (context) => {
  const python = installPython(context);
  const server = await startServer();
  const client = new Program(python, ['python/main.py', server.url, '1', '5']);
  client.type('one\n');
  expect(await client.next(1)).toEqual(['1 Ada: one']);
  await server.kill();
  client.type('two\nthree\n');
  await server.restart();
  client.type(`${'x'.repeat(8_001)}\nfour: \\ 안녕\n`);
  const rest = await client.next(4);
  expect(rest.filter((line) => !line.startsWith('refused'))).toEqual([
    '2 Ada: two',
    '3 Ada: three',
    '4 Ada: four: \\ 안녕',
  ]);
  expect(rest).toContain('refused 2413: content has 8,001 characters; the limit is 8,000');
});

/** Makes a virtual environment as the README of the example says. Returns its interpreter. */
function installPython(context: TestContext): string {
  const folder = join(temporaryFolder(), 'venv');
  const python = join(folder, 'bin/python');
  try {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
    const options = ['--quiet', '--no-input', '--disable-pip-version-check'];
    execFileSync(python, ['-m', 'pip', 'install', ...options, '-r', `${EXAMPLES}python/requirements.txt`], {
      stdio: 'pipe',
    });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    skipOrFail(context, new ServiceUnavailable('Python 3', stderr?.toString().trim() || String(error)));
  }
  return python;
}

it('runs the bot, which answers each command once, also those that came while it was away', async () => {
  const server = await startServer({ JWT_SECRET: SECRET, DEMO: 'on' });
  const person = Program.node(CAREFUL, [server.url, '1', '5']);
  person.type('before the bot\n');
  await person.next(1);

  const env = { JWT_SECRET: SECRET, CHAT_URL: server.url, BOT_FILE: join(temporaryFolder(), 'bot.txt') };
  const first = Program.node('bot/main.ts', [], env);
  // The bot begins at the end of the room, so a command before its first start is not answered.
  await expect.poll(() => readBookmark(env.BOT_FILE), { timeout: 15_000 }).toBe('1');
  person.type('!ping\nno command\n!add 2 3\n');
  expect(await first.next(2)).toEqual(['2 !ping -> pong', expect.stringMatching(/ !add 2 3 -> 5$/)]);
  expect(textsOf(await person.next(5)).sort()).toEqual(['!add 2 3', '!ping', '5', 'no command', 'pong']);

  await expect.poll(() => readBookmark(env.BOT_FILE), { timeout: 15_000 }).toBe('6');
  first.process.kill('SIGKILL');
  person.type('!echo while away\n!add x\n');
  await person.next(2);
  const second = Program.node('bot/main.ts', [], env);
  expect(await second.next(2)).toEqual([
    expect.stringMatching(/-> while away$/),
    expect.stringMatching(/-> Give me numbers: !add 2 3$/),
  ]);
  expect(textsOf(await person.next(2)).sort()).toEqual(['Give me numbers: !add 2 3', 'while away']);
});

it('runs the bot again from an older bookmark, and it answers nothing twice', async () => {
  const server = await startServer({ JWT_SECRET: SECRET, DEMO: 'on' });
  const folder = temporaryFolder();
  const env = { JWT_SECRET: SECRET, CHAT_URL: server.url, BOT_FILE: join(folder, 'bot.txt') };
  const person = Program.node(CAREFUL, [server.url, '1', '5']);
  Program.node('bot/main.ts', [], env);
  await expect.poll(() => readBookmark(env.BOT_FILE), { timeout: 15_000 }).toBe('0');
  person.type('!ping\n');
  expect(textsOf(await person.next(2))).toEqual(['!ping', 'pong']);

  // A crash between the answer and the bookmark leaves the older bookmark.
  const crashed = { ...env, BOT_FILE: join(folder, 'older.txt') };
  writeFileSync(crashed.BOT_FILE, '0');
  const again = Program.node('bot/main.ts', [], crashed);
  expect(await again.next(1)).toEqual(['1 !ping -> pong']);
  person.type('the next message\n');
  expect(await person.next(1)).toEqual(['3 user 1: the next message']);
});

function readBookmark(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function textsOf(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^\d+ [^:]+: /, ''));
}
