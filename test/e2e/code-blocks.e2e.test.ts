import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderMermaidSVG } from 'beautiful-mermaid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileScript, compileTemplate, parse as parseComponent } from 'vue/compiler-sfc';
import { parseAllDocuments } from 'yaml';
import { ServerProcess } from '../../dev/server-process.ts';
import { isKnownVariable } from '../../src/bootstrap/config/variables.ts';
import { type CodeBlock, codeBlocks } from '../support/code-blocks/blocks.ts';
import { Conversation, checkExample } from '../support/code-blocks/conversation.ts';
import { makeRequests } from '../support/code-blocks/requests.ts';
import { checkSyntax, missingFiles, runAgainst } from '../support/code-blocks/shell.ts';
import { typeErrors } from '../support/code-blocks/typescript.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (page: string) => readFileSync(`${ROOT}${page}`, 'utf8');
const PAGES = globSync(
  ['*.md', 'docs/**/*.md', 'examples/**/*.md', 'client/README.md', 'neighbours/README.md', 'deploy/**/*.md'],
  { cwd: ROOT, exclude: ['**/node_modules/**', '**/.venv/**'] },
).sort();
/** Pages whose blocks a script writes and other tests compare with the server. */
const GENERATED = ['docs/reference/destinations.md', 'docs/reference/http.md', 'docs/reference/errors.md'];
/** Blocks of these pages and languages are run or compared by another test. */
const ELSEWHERE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/reference/cli.md': { text: 'test/unit/cli/main.test.ts' },
  'docs/tutorial/small-chat.md': {
    html: 'test/e2e/examples-browser.e2e.test.ts',
    js: 'test/e2e/examples-browser.e2e.test.ts',
  },
};
/** A block that cannot be run here, because it needs a cluster or a foreign system. */
const MAX_NOT_RUN = 45;
const ADMIN = 'an-administrator-of-the-pages-00000';

interface Block extends CodeBlock {
  readonly page: string;
  readonly where: string;
  /** Why it is not run; null if it is. */
  readonly reason: string | null;
  /** The test that runs it; null if this one does. */
  readonly runBy: string | null;
}

const BLOCKS: readonly Block[] = PAGES.filter((page) => !GENERATED.includes(page)).flatMap((page) =>
  codeBlocks(read(page)).map((block) => ({
    ...block,
    page,
    where: `${page}:${block.line}`,
    reason: /^not run: (.+)$/s.exec(block.comment ?? '')?.[1] ?? null,
    runBy: /^run by: (\S+)$/.exec(block.comment ?? '')?.[1] ?? ELSEWHERE[page]?.[block.language] ?? null,
  })),
);

const own = (...languages: string[]) =>
  BLOCKS.filter(({ language, reason, runBy }) => languages.includes(language) && reason === null && runBy === null);

describe('the blocks of code of all pages', () => {
  it('have a language that a test knows', () => {
    const known = [
      'sh',
      'js',
      'ts',
      'tsx',
      'html',
      'json',
      'jsonl',
      'yaml',
      'stomp',
      'http',
      'dotenv',
      'mermaid',
      'vue',
    ];
    const unknown = own('text', 'console', 'redis', '').concat(
      BLOCKS.filter(({ language }) => ![...known, 'text', 'console', 'redis'].includes(language)),
    );
    expect(unknown.map(({ where }) => where)).toEqual([]);
  });

  it('name a reason where they are not run, and few are not run', () => {
    const notRun = BLOCKS.filter(({ reason }) => reason !== null);
    expect(notRun.filter(({ reason }) => (reason ?? '').length < 10)).toEqual([]);
    expect(notRun.length).toBeLessThanOrEqual(MAX_NOT_RUN);
  });

  it('name an existing test where another test runs them', () => {
    const missing = BLOCKS.filter(({ runBy }) => runBy !== null && !existsSync(`${ROOT}${runBy}`));
    expect(missing.map(({ where, runBy }) => `${where}: ${runBy}`)).toEqual([]);
  });

  it.each(own('json', 'jsonl', 'yaml'))('$where is valid $language', ({ language, code }) => {
    if (language === 'json') JSON.parse(code);
    else if (language === 'jsonl') for (const line of code.trim().split('\n')) JSON.parse(line);
    else
      expect(parseAllDocuments(code).flatMap((document) => ('errors' in document ? document.errors : []))).toEqual([]);
  });

  it.each(own('dotenv'))('$where sets variables that exist', ({ code }) => {
    const names = [...code.matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !isKnownVariable(name))).toEqual([]);
  });

  it.each(own('mermaid'))('$where is a diagram that the site can draw', ({ code }) => {
    expect(renderMermaidSVG(code)).toContain('<svg');
  });

  it('are correct TypeScript and JavaScript', { timeout: 180_000 }, async () => {
    const sources = own('ts', 'tsx', 'js').map((block) => ({
      ...block,
      given: /^given:\n?([\s\S]*)$/.exec(block.comment ?? '')?.[1] ?? '',
    }));
    expect(await typeErrors(sources, ROOT)).toEqual([]);
  });

  it('are scripts of the shell without a syntax error, and name files that exist', () => {
    const scripts = BLOCKS.filter(({ language }) => language === 'sh');
    checkSyntax(scripts.map(({ code, where }) => `: ${where}\n${code}`).join('\n'));
    const missing = scripts.flatMap(({ code, where }) => missingFiles(code, ROOT).map((file) => `${where}: ${file}`));
    expect(missing).toEqual([]);
  });

  it.each(own('vue'))('$where is a component of Vue', ({ code }) => {
    const { descriptor, errors } = parseComponent(code);
    const template = compileTemplate({
      source: descriptor.template?.content ?? '',
      filename: 'block.vue',
      id: 'block',
    });
    expect([...errors, ...template.errors]).toEqual([]);
    expect(compileScript(descriptor, { id: 'block' }).content).toContain('setup');
  });
});

describe('the blocks that use a server', () => {
  let server: ServerProcess;
  let folder: string;
  let env: Record<string, string>;
  const tokens: string[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chat-blocks-'));
    server = await ServerProcess.start({ env: { ADMIN_TOKENS: `pages:${ADMIN}` } });
    env = { CHAT: `${server.url}/chat-server/service`, AUTH: `Authorization: Bearer ${ADMIN}` };
    for (const userId of [1, 2]) tokens.push(await demoToken(userId));
  });
  afterAll(async () => {
    await server.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function demoToken(userId: number): Promise<string> {
    const answer = await fetch(`${server.url}/demo/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId }),
    });
    return ((await answer.json()) as { token: string }).token;
  }

  it('docs/reference/protocol.md shows the frames and answers of this server', async () => {
    const conversation = new Conversation(server.url);
    const [ada = '', grace = ''] = tokens;
    const blocks = own('stomp', 'http').filter(({ page }) => page === 'docs/reference/protocol.md');
    try {
      for (const { language, info, code, where } of blocks) {
        if (info === 'example') checkExample(code);
        else if (language === 'stomp') await conversation.play(info, info === 'grace' ? grace : ada, code);
        else await makeRequests(code, server.url, info === 'service' ? {} : { authorization: ada });
        expect(where).toMatch(/protocol/);
      }
    } finally {
      conversation.close();
    }
  });

  it.each(own('http').filter(({ page }) => page !== 'docs/reference/protocol.md'))(
    '$where shows calls of this server with their answers',
    async ({ code }) => {
      await makeRequests(code, server.url, { authorization: `Bearer ${ADMIN}` }, [404]);
    },
  );

  it.each(own('sh').filter(({ code }) => code.includes('curl ')))('$where calls the server', ({ code }) => {
    const output = runAgainst(code, server.url, folder, env);
    expect(output).not.toMatch(/"code":(21(00|01|02|03)|2301)|no such call/);
  });

  it('all other scripts are marked: another test runs them, or they say why they are not run', () => {
    const unmarked = own('sh').filter(({ code }) => !code.includes('curl '));
    expect(unmarked.map(({ where }) => where)).toEqual([]);
  });
});
