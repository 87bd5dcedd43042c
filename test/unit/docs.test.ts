import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { OWN_ENDPOINTS } from '../../src/adapters/http/endpoints.ts';
import { SERVICE_ENDPOINTS } from '../../src/adapters/http/service/endpoints.ts';
import { destinationOf, ERRORS_DESTINATION } from '../../src/adapters/stomp/destinations.ts';
import { SEND_DESTINATIONS } from '../../src/adapters/stomp/send-routes.ts';
import { refusalNumber } from '../../src/adapters/transport/refusal-codes.ts';
import { isKnownVariable, VARIABLE_NAMES } from '../../src/bootstrap/config/variables.ts';
import type { RefusalCode } from '../../src/domain/errors.ts';
import { channelKey, communityKey, roomKey } from '../../src/domain/place.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = globSync(
  ['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'neighbours/*.md', 'client/*.md', 'examples/**/*.md'],
  {
    cwd: ROOT,
  },
).sort();
/** Pages whose blocks a script writes. */
const GENERATED = ['docs/reference/destinations.md', 'docs/reference/http.md', 'docs/reference/errors.md'];
const protocol = read('docs/reference/protocol.md');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** Variables of the tests and neighbours. The server's own variables are known from its table. */
const OTHER_VARIABLES = new Set([
  ...[
    'TEST_KAFKA_BROKERS',
    'TEST_MONGODB_URL',
    'TEST_REDIS_URL',
    'TEST_SECURED',
    'CHAT_TEST_CACHE',
    'CHROMIUM',
    'FIREFOX',
    'CI',
    'CHAT_PORT',
    'GRAFANA_PORT',
    'PROMETHEUS_PORT',
  ],
  ...[
    'CHAT_URL',
    'LEASE_SECONDS',
    'TLS_CERT',
    'TLS_KEY',
    'NODE_ENV',
    'NODE_OPTIONS',
    'NODE_EXTRA_CA_CERTS',
    'SERVER',
    'X_FILE',
    'BOT_USER',
    'BOT_ROOM',
    'BOT_FILE',
    'DOCS_SOURCES_URL',
    'DOCS_BASE',
  ],
  ...['STORM_SEED', 'STORM_MINUTES', 'STORM_SECONDS', 'SIMULATION_SEED', 'PAUSE_SECONDS'],
]);
/**
 * Words in code marks that look like a variable: words of STOMP, HTTP and MongoDB, and
 * constants of ours.
 */
const WORDS =
  /^(CONNECT|CONNECTED|SEND|SUBSCRIBE|UNSUBSCRIBE|MESSAGE|RECEIPT|ERROR|ACK|NACK|DISCONNECT|STOMP|GET|POST|PUT|DELETE|HEAD|SIGTERM|SIGINT|SIGKILL|SIGSTOP|AUTHORIZATION|PATH|IXSCAN|SKIP|FETCH|DISTINCT_SCAN|JSESSIONID|DIR|X|XADD|XREAD|STORED_KINDS)$/;

/** Addresses of a page's links and pictures, code left out. */
function linksOf(text: string): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, address = '']) => address);
}

/** The names by which headings are linked to. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(page: string): string[] {
  return linksOf(read(page)).filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : relative(ROOT, normalize(join(ROOT, dirname(page), path)));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
  });
}

/**
 * Words in capitals that stand alone in code marks, in a table's first cell, or before `=` or in
 * `${}`.
 */
function variablesOf(text: string): Set<string> {
  const marked = [...text.matchAll(/`\$?\{?([A-Z][A-Z0-9_]+)(?:=[^`\n]*)?\}?`/g)];
  const given = [...text.matchAll(/(?:^|[\s`])([A-Z][A-Z0-9]*_[A-Z0-9_]+)=/gm)];
  return new Set([...marked, ...given].map(([, name = '']) => name).filter((name) => !WORDS.test(name)));
}

/** A path as the generated tables show it: `/jobs/{id}` for `/jobs/:id`. */
function templateOf(path: string): string {
  return path
    .replace(/:(\w+)/g, '{$1}')
    .replace('{/*path}', '/{path}')
    .replace('{*path}', '{path}');
}

function pascal(file: string): string {
  return file.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

describe.each(PAGES)('%s', (page) => {
  it('a page links only to files and headings that exist', () => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('a page has its code in fenced blocks, which tests can find', () => {
    const prose = read(page).replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
    const outsideOfLists = prose.replaceAll(/^( *([-*]|\d+\.) .*\n(\n| +.*\n)*)/gm, '');
    expect(GENERATED.includes(page) ? null : (/\n\n( {4}[^\s*-].*)/.exec(outsideOfLists)?.[1] ?? null)).toBeNull();
  });

  it('a page names only npm scripts that exist', () => {
    const named = [...read(page).matchAll(/npm run ([a-z][a-z0-9:-]*)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it('a page names only programs that exist', () => {
    const named = [...read(page).matchAll(/\bnode ((?:scripts|bench|neighbours|src)\/\S+?\.ts)/g)];
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('a page names only files of the repository that exist', () => {
    const folders = 'src|test|dev|bench|page|examples|neighbours|scripts|deploy';
    const named = [...read(page).matchAll(new RegExp(`\`((?:${folders})/[\\w./-]+\\.\\w+)\``, 'g'))];
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('a page names only variables that are known', () => {
    const isPrefix = (name: string) => VARIABLE_NAMES.some((known) => known.startsWith(`${name}_`));
    const isKnown = (name: string) => isKnownVariable(name) || isPrefix(name) || OTHER_VARIABLES.has(name);
    expect([...variablesOf(read(page))].filter((name) => !isKnown(name))).toEqual([]);
  });
});

describe('docs/reference/protocol.md', () => {
  it('docs/reference/protocol.md has every destination for SEND', () => {
    expect(SEND_DESTINATIONS.filter((destination) => !protocol.includes(`| \`${destination}\` |`))).toEqual([]);
  });

  it('docs/reference/protocol.md has every destination for SUBSCRIBE', () => {
    const destinations = [
      destinationOf(roomKey(1)).replace('1', '{roomId}'),
      destinationOf(channelKey(1)).replace('1', '{channelId}'),
      destinationOf(communityKey(1)).replace('1', '{communityId}'),
      ERRORS_DESTINATION,
    ];
    expect(destinations.filter((destination) => !protocol.includes(`| \`${destination}\` |`))).toEqual([]);
  });

  it.each([
    ['docs/reference/protocol.md', 'every HTTP call but those of the service API', OWN_ENDPOINTS],
    ['docs/reference/service-api.md', 'every call of the service API', SERVICE_ENDPOINTS],
  ])('%s has %s, and no other', (page, _, endpoints) => {
    const calls = Object.values(endpoints).map(({ method, path }) => `${method.toUpperCase()} ${templateOf(path)}`);
    const documented = [...read(page).matchAll(/^\| `((?:GET|POST|PUT|DELETE) \S+)` \|/gm)].map(([, call]) => call);
    expect(documented.sort()).toEqual(calls.sort());
  });

  it('docs/reference/protocol.md and docs/reference/service-api.md have every use case', () => {
    const files = globSync('**/*.ts', { cwd: join(ROOT, 'src/application/use-cases') });
    const names = files.map((file) => pascal(basename(file, '.ts')));
    expect(names.length).toBeGreaterThan(0);
    const pages = protocol + read('docs/reference/service-api.md');
    expect(names.filter((name) => !pages.includes(`\`${name}\``))).toEqual([]);
  });

  it('docs/reference/protocol.md has every number of a refusal, and no other', () => {
    const codes: Record<RefusalCode, true> = {
      'bad-input': true,
      'no-token': true,
      'bad-token': true,
      'not-permitted': true,
      'message-not-found': true,
      'not-the-author': true,
      'too-large': true,
      'too-fast': true,
      'try-again': true,
      'store-failed': true,
      internal: true,
    };
    const numbers = Object.keys(codes).map((code) => refusalNumber(code as RefusalCode));
    const documented = [...protocol.matchAll(/^\| \[(\d{4})\]\(.*\|.*\|$/gm)].map(([, number]) => Number(number));
    expect(documented.sort()).toEqual(numbers.sort());
  });
});

describe('docs/adr/README.md', () => {
  it('lists every decision', () => {
    const index = read('docs/adr/README.md');
    const decisions = globSync('0*.md', { cwd: join(ROOT, 'docs/adr') });
    expect(decisions.filter((file) => !index.includes(`](${file})`))).toEqual([]);
  });
});

describe('docs/README.md', () => {
  it('lists every page of the four kinds', () => {
    const links = linksOf(read('docs/README.md'));
    const pages = globSync('{tutorial,how-to,reference,explanation}/*.md', { cwd: join(ROOT, 'docs') });
    expect(pages.filter((page) => !links.includes(page))).toEqual([]);
  });
});
