import { globSync, readFileSync } from 'node:fs';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { useDiagrams, useLinks } from './markdown.ts';
import { PAGES, pathOnSite, ROOT } from './pages.ts';

const EVERY_PAGE = globSync('**/*.md', { cwd: ROOT, exclude: ['**/node_modules/**'] });
const SITE_PAGES = globSync(PAGES, { cwd: ROOT, exclude: ['**/node_modules/**'] }).sort();

/** The address of the repository's files. Without it, links to sources are plain text. */
const SOURCES = process.env.DOCS_SOURCES_URL;

export default defineConfig({
  title: 'chat-server',
  description: 'A chat server that loses, repeats and reorders nothing',
  base: process.env.DOCS_BASE ?? '/',
  srcDir: '..',
  additionalConfig: {}, // otherwise each config.ts of the repository is read

  srcExclude: EVERY_PAGE.filter((page) => !SITE_PAGES.includes(page)),
  cacheDir: '../.cache/vitepress',
  rewrites: pathOnSite,
  cleanUrls: true,
  vite: { publicDir: 'docs/public' },
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    languageAlias: { stomp: 'http', redis: 'bash' },
    config: (markdown) => {
      useLinks(markdown, SOURCES);
      useDiagrams(markdown);
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Tutorial', link: '/tutorial/small-chat' },
      { text: 'How-to', link: '/how-to/operations' },
      { text: 'Reference', link: '/reference/protocol' },
      { text: 'Explanation', link: '/explanation/ordering' },
      { text: 'Examples', link: '/examples/' },
    ],
    sidebar: [
      section('Tutorial', 'docs/tutorial/'),
      section('How-to guides', 'docs/how-to/'),
      section('Reference', 'docs/reference/'),
      section('Explanation', 'docs/explanation/'),
      section('Examples', 'examples/'),
      { ...section('Decisions', 'docs/adr/'), collapsed: true },
      section('Project', ''),
    ],
  },
});

/** Returns a section of the sidebar with all pages of a folder, in the order of their titles. */
function section(text: string, folder: string): DefaultTheme.SidebarItem {
  const isInside = (page: string) =>
    folder === '' ? pathOnSite(page).startsWith('project/') : page.startsWith(folder);
  const items = SITE_PAGES.filter(isInside).map((page) => ({
    text: titleOf(page),
    link: `/${pathOnSite(page).replace(/(index)?\.md$/, '')}`,
  }));
  const isNumbered = folder === 'docs/adr/';
  return { text, items: isNumbered ? items : items.sort((one, other) => one.text.localeCompare(other.text)) };
}

function titleOf(page: string): string {
  const [, title = page] = /^# (.+)$/m.exec(readFileSync(`${ROOT}${page}`, 'utf8')) ?? [];
  return title.replaceAll('`', '');
}
