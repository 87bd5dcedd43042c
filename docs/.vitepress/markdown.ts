import { relative } from 'node:path';
import { renderMermaidSVG } from 'beautiful-mermaid';
import type { MarkdownRenderer } from 'vitepress';
import { addressOnSite, ROOT } from './pages.ts';

type Token = ReturnType<MarkdownRenderer['parse']>[number];

/** Sets the links of each page to addresses of the site. A link that leads nowhere becomes text. */
export function useLinks(markdown: MarkdownRenderer, sources: string | undefined): void {
  markdown.core.ruler.push('links-of-the-repository', ({ tokens, env }) => {
    const file = relative(ROOT, env.realPath ?? env.path);
    for (const { children } of tokens) resolveLinks(children ?? [], file, sources);
  });
}

/** Renders blocks of Mermaid as SVG while the site is built. Readers load no script for them. */
export function useDiagrams(markdown: MarkdownRenderer): void {
  const { fence } = markdown.renderer.rules;
  markdown.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info, content } = tokens[index] as Token;
    if (info.trim() !== 'mermaid') return fence?.(tokens, index, options, env, self) ?? '';
    return `<div class="diagram" v-pre>${diagram(content)}</div>`;
  };
}

function resolveLinks(tokens: Token[], file: string, sources: string | undefined): void {
  let isDead = false;
  for (const token of tokens) {
    if (token.type === 'link_open') {
      const address = addressOnSite(file, token.attrGet('href') ?? '', sources);
      isDead = address === undefined;
      if (address !== undefined) token.attrSet('href', address);
    }
    if (isDead && (token.type === 'link_open' || token.type === 'link_close')) {
      token.tag = 'span';
      token.attrs = null;
      token.type = 'span';
    }
  }
}

/** The style sheet of the site has the diagram's styles, so that the dark mode changes them too. */
function diagram(source: string): string {
  const svg = renderMermaidSVG(source, { bg: 'var(--vp-c-bg)', fg: 'var(--vp-c-text-1)', transparent: true });
  return svg.replace(/<style>[\s\S]*?<\/style>/, '').replaceAll(/\n\s*/g, ' ');
}
