import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import openapiTS, { astToString } from 'openapi-typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024', 'dom'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  },
  include: ['*.ts'],
};

/** A program that uses a client of the server whose types come from `/openapi.json`. */
export interface TypedProgram {
  /** The messages of the compiler; empty if the program is right. */
  compile(): Promise<string>;
  /** Runs the program. Resolves to the JSON that it prints. */
  run(env: Readonly<Record<string, string>>): Promise<unknown>;
  remove(): Promise<void>;
}

/**
 * Puts a program into a folder of its own, with `schema.ts`, the types that openapi-typescript
 * makes of the document.
 */
export async function typedProgram(document: object, source: string): Promise<TypedProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-typed-client-'));
  await symlink(await realpath(join(ROOT, 'node_modules')), join(folder, 'node_modules'));
  const types = astToString(await openapiTS(document as Parameters<typeof openapiTS>[0]));
  const files = {
    'package.json': JSON.stringify({ type: 'module' }),
    'tsconfig.json': JSON.stringify(TSCONFIG),
    'schema.ts': types,
    'program.ts': source,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return {
    async compile() {
      const tsc = join(ROOT, 'node_modules/@typescript/native/bin/tsc');
      const done = run(process.execPath, [tsc, '-p', folder]);
      return done.then(
        () => '',
        (error: { readonly stdout: string }) => error.stdout,
      );
    },
    async run(env) {
      const { stdout } = await run(process.execPath, [join(folder, 'program.ts')], { env: { ...process.env, ...env } });
      return JSON.parse(stdout);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Every call of the service API. User 2 has a session, and room 5 is theirs and that of user 1. The
 * lines with `@ts-expect-error` are mistakes that the compiler must find.
 */
export const PROGRAM = `
import createClient from 'openapi-fetch';
import type { paths } from './schema.ts';

const { SERVER_URL = '', ADMIN_TOKEN = '' } = process.env;
const api = createClient<paths>({ baseUrl: SERVER_URL, headers: { authorization: \`Bearer \${ADMIN_TOKEN}\` } });

async function dataOf<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (data === undefined) throw new Error(\`\${response.url} \${response.status} \${JSON.stringify(error)}\`);
  return data;
}

const S = '/chat-server/service';
const user = { params: { path: { userId: 2 } } };
const me = await dataOf(api.GET(\`\${S}/me\`));
const sent = await dataOf(api.POST(\`\${S}/messages\`, { body: { place: 'r-5', userId: 1, content: 'by a service' } }));
const seq: number = sent.seq;
const deletion = { params: { path: { id: sent.id }, query: { place: 'r-5' } } };
await dataOf(api.DELETE(\`\${S}/messages/{id}\`, deletion));
const again = await api.DELETE(\`\${S}/messages/{id}\`, deletion);
const gone: number | undefined = again.error?.code;

const { sessions } = await dataOf(api.GET(\`\${S}/users/{userId}/sessions\`, user));
const places: string[] = sessions[0]?.places ?? [];
const presence = await dataOf(api.GET(\`\${S}/places/{place}/presence\`, { params: { path: { place: 'r-5' } } }));
const { servers } = await dataOf(api.GET(\`\${S}/servers\`));
const busiest = await dataOf(api.GET(\`\${S}/busiest-places\`, { params: { query: { size: 5 } } }));
const slow = await dataOf(api.GET(\`\${S}/slow-clients\`));

const trace = await dataOf(api.POST(\`\${S}/traces\`, { body: { userId: 1, minutes: 1 } }));
const reading = new AbortController();
const { signal } = reading;
const traced = await dataOf(
  api.GET(\`\${S}/traces/{id}\`, { params: { path: { id: trace.id } }, parseAs: 'stream', signal }),
);
const firstLine = JSON.parse(Buffer.from((await traced?.getReader().read())?.value ?? []).toString().split('\\n')[0] ?? '');
reading.abort();

await dataOf(api.PUT(\`\${S}/mutes/{userId}\`, { ...user, body: { place: 'r-5', until: '2099-01-01T00:00:00.000' } }));
const mutes = await dataOf(api.GET(\`\${S}/mutes\`));
await dataOf(api.DELETE(\`\${S}/mutes/{userId}\`, { params: { ...user.params, query: { place: 'r-5' } } }));
await dataOf(api.PUT(\`\${S}/places/{place}/slow-mode\`, { params: { path: { place: 'r-5' } }, body: { seconds: 1 } }));
const slowModes = await dataOf(api.GET(\`\${S}/slow-modes\`));
await dataOf(api.PUT(\`\${S}/places/{place}/slow-mode\`, { params: { path: { place: 'r-5' } }, body: { seconds: 0 } }));
const ended = await dataOf(api.POST(\`\${S}/disconnect\`, { body: { userId: 2 } }));
await dataOf(api.PUT(\`\${S}/bans/{userId}\`, { ...user, body: { until: null, reason: 'spam' } }));
const bans = await dataOf(api.GET(\`\${S}/bans\`));
await dataOf(api.DELETE(\`\${S}/bans/{userId}\`, user));

const lines = await dataOf(api.GET(\`\${S}/users/{userId}/export\`, { ...user, parseAs: 'text' }));
const { id } = await dataOf(
  api.DELETE(\`\${S}/users/{userId}\`, { params: { path: { userId: 3 }, query: { mode: 'anonymise', 'dry-run': 'true' } } }),
);
const retention = await dataOf(api.POST(\`\${S}/jobs/retention-dry-run\`, { params: { query: { days: 30 } } }));
let job = await dataOf(api.GET(\`\${S}/jobs/{id}\`, { params: { path: { id } } }));
while (job.state === 'waiting' || job.state === 'running') {
  job = await dataOf(api.GET(\`\${S}/jobs/{id}\`, { params: { path: { id } } }));
}
const { jobs } = await dataOf(api.GET(\`\${S}/jobs\`));

// @ts-expect-error no such call
void (() => api.GET('/chat-server/service/nothing'));
// @ts-expect-error the content is missing
void (() => api.POST('/chat-server/service/messages', { body: { place: 'r-5', userId: 1 } }));
// @ts-expect-error seconds is a number
void (() => api.PUT('/chat-server/service/places/{place}/slow-mode', { params: { path: { place: 'r-5' } }, body: { seconds: 'x' } }));
// @ts-expect-error there is no such mode
void (() => api.DELETE('/chat-server/service/users/{userId}', { params: { path: { userId: 3 }, query: { mode: 'x' } } }));
// @ts-expect-error a session has no such field
void (() => sessions[0]?.nothing);

const { kind } = job.task;
console.log(
  JSON.stringify({
    admin: me.admin, seq, gone, places, looking: presence.looking, servers: servers.length, busiest: busiest.missing,
    slow: slow.leftOut, traced: firstLine.type, mutes: mutes.length, slowModes: slowModes.length, ended: ended.sessions, bans: bans.length,
    exported: typeof lines, job: [kind, job.state], retention: retention.task.kind, jobs: jobs.length,
  }),
);
`;
