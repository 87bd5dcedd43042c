import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { ReadConfig } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { UsageError } from './arguments.ts';
import { type Command, CommandFailure } from './command.ts';
import { baseUrlOf } from './url.ts';

const MAX_ID = Number.MAX_SAFE_INTEGER;
const POLL_MS = 500;
const ANSWER_MS = 10_000;
/** Polls in a row without an answer before the command gives up. The job itself goes on. */
const MAX_SILENT_POLLS = 20;

const JOB = z.object({
  id: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  counts: z.record(z.string(), z.number()).default({}),
  error: z.string().nullish(),
});
const REFUSAL = z.object({ message: z.string() });

type Job = z.infer<typeof JOB>;

export const ERASE: Command = {
  name: 'erase',
  summary: 'erases or anonymises a user on running servers, and waits for the end',
  about: [
    'The command asks the service API, which makes a job of it: one server at a time works on it, over restarts, in the pace that leaves room for others. Clients forget what is erased. The address is that of any server, on INTERNAL_PORT where that is set, and the token is one of ADMIN_TOKENS.',
    'erase deletes the messages and files of the user; anonymise keeps the texts under the name "deleted user". Try it with --dry-run first: there is no way back. Backups keep what they hold.',
  ],
  options: {
    user: { value: 'ID', meaning: 'the user' },
    mode: { value: 'MODE', meaning: 'erase or anonymise' },
    'dry-run': { meaning: 'counts what would be done, and changes nothing' },
    url: { value: 'URL', meaning: 'address of a server; without it, this machine and the port of the configuration' },
    admin: { value: 'NAME', meaning: 'entry of ADMIN_TOKENS; without it the first one' },
    'no-wait': { meaning: 'prints the id of the job and ends' },
  },
  async run({ args, env, out, err }) {
    const user = args.neededNumber('user', 1, MAX_ID);
    const mode = args.needed('mode');
    if (mode !== 'erase' && mode !== 'anonymise') throw new UsageError('--mode must be erase or anonymise');
    const given = args.text('url');
    const url = given === null ? null : baseUrlOf(given);
    const read = readConfig(env);
    const api = new ServiceApi(url ?? ownUrl(read), tokenOf(read, args.text('admin')));
    const dryRun = args.has('dry-run') ? '&dry-run=true' : '';
    const begun = await api.ask('DELETE', `/users/${user}?mode=${mode}${dryRun}`);
    if (args.has('no-wait')) {
      out(begun.id);
      return 0;
    }
    err(`job ${begun.id}`);
    const job = await api.end(begun);
    out(
      Object.entries(job.counts)
        .map(([what, count]) => `${what}: ${count}`)
        .join('\n') || 'nothing to do',
    );
    if (job.state === 'done') return 0;
    throw new CommandFailure(`job ${job.id} has failed: ${job.error ?? 'without a reason'}`);
  },
};

/** The service API of one server. */
class ServiceApi {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** @throws CommandFailure for a refusal, or if nothing answers */
  async ask(method: 'GET' | 'DELETE', path: string): Promise<Job> {
    const { status, body } = await this.#call(method, path).catch((error: unknown) => {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new CommandFailure(
        `--url: ${this.#url} does not answer (${cause instanceof Error ? cause.message : cause})`,
      );
    });
    const job = JOB.safeParse(body);
    if (status < 300 && job.success) return job.data;
    const refusal = REFUSAL.safeParse(body);
    const reason = refusal.success ? refusal.data.message : 'the answer is not that of the service API';
    throw new CommandFailure(`${status === 401 || status === 403 ? 'ADMIN_TOKENS: ' : ''}${reason} (status ${status})`);
  }

  /** Waits for the end of a job. A server that is away for some seconds does not matter. */
  async end(begun: Job): Promise<Job> {
    let job = begun;
    for (let silent = 0; job.state === 'waiting' || job.state === 'running'; ) {
      await delay(POLL_MS);
      try {
        job = await this.ask('GET', `/jobs/${encodeURIComponent(begun.id)}`);
        silent = 0;
      } catch (error) {
        silent += 1;
        if (silent < MAX_SILENT_POLLS) continue;
        throw new CommandFailure(`${error instanceof Error ? error.message : error}; the job ${begun.id} goes on`);
      }
    }
    return job;
  }

  async #call(method: string, path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const answer = await fetch(`${this.#url}/chat-server/service${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}` },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return { status: answer.status, body: await answer.json().catch(() => null) };
  }
}

/** The address of the service API on this machine. */
function ownUrl({ config }: ReadConfig): string {
  const { host, port } = config.internal ?? config.listen;
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

function tokenOf({ secrets }: ReadConfig, name: string | null): string {
  const { adminTokens } = secrets;
  const [first] = adminTokens;
  if (first === undefined) throw new CommandFailure('ADMIN_TOKENS is not set; the service API needs one of its tokens');
  if (name === null) return first.token;
  const found = adminTokens.find((admin) => admin.name === name);
  if (found !== undefined) return found.token;
  throw new CommandFailure(
    `ADMIN_TOKENS has no entry ${name}; it has ${adminTokens.map((admin) => admin.name).join(', ')}`,
  );
}
