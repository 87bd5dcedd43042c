import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository, with a separator at its end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Globs of the Markdown files that are pages of the site, from the root of the repository. */
export const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs/**/*.md',
  'examples/**/*.md',
  'client/README.md',
  'neighbours/README.md',
  'deploy/monitoring/README.md',
];

/** Pages outside of `docs` and `examples`, with their paths on the site. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'README.md': 'project/readme.md',
  'CHANGELOG.md': 'project/changelog.md',
  'CONTRIBUTING.md': 'project/contributing.md',
  'SECURITY.md': 'project/security.md',
  'client/README.md': 'project/client-package.md',
  'neighbours/README.md': 'project/neighbours.md',
  'deploy/monitoring/README.md': 'project/monitoring.md',
};

/** Returns the path of a page on the site, from the path of its file in the repository. */
export function pathOnSite(file: string): string {
  const path = ELSEWHERE[file] ?? file.replace(/^docs\//, '');
  return path.replace(/(^|\/)README\.md$/, '$1index.md');
}

/**
 * Returns the address on the site to which a link of a page leads.
 *
 * @param file the page's file, from the root of the repository
 * @param link the address in the page's text
 * @param sources the address under which the repository's files can be read; undefined if there is
 *   none
 * @returns the address, or undefined if the link leads to a file that the reader cannot open
 */
export function addressOnSite(file: string, link: string, sources: string | undefined): string | undefined {
  if (/^([a-z]+:|#)/.test(link)) return link;
  const [path = '', anchor] = link.split('#');
  const target = posix.normalize(posix.join(posix.dirname(file), path)).replace(/\/$/, '');
  const suffix = anchor === undefined ? '' : `#${anchor}`;
  if (target.endsWith('.md')) return `/${pathOnSite(target)}${suffix}`;
  if (existsSync(`${ROOT}${target}/README.md`)) return `/${pathOnSite(`${target}/README.md`)}${suffix}`;
  return sources === undefined ? undefined : `${sources.replace(/\/$/, '')}/${target}${suffix}`;
}
