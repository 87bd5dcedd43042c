/** A fenced block of code of a Markdown page. */
export interface CodeBlock {
  /** The first word of the info text: `sh`, `json`, ... Empty if there is none. */
  readonly language: string;
  /** The rest of the info text. */
  readonly info: string;
  readonly code: string;
  /** The line of the opening fence, from 1 on. */
  readonly line: number;
  /** The comment before the block, as in `<!-- not run: needs a cluster -->`, or null. */
  readonly comment: string | null;
}

/** Returns all fenced blocks of a page, in their order. Indentation of a list is removed. */
export function codeBlocks(text: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const fence = /^( *)```(\S*) ?(.*)$/.exec(lines[at] ?? '');
    if (fence === null) continue;
    const [, indent = '', language = '', info = ''] = fence;
    const end = lines.findIndex((line, index) => index > at && line.trimEnd() === `${indent}\`\`\``);
    if (end === -1) throw new Error(`the block at line ${at + 1} has no end`);
    const code = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    blocks.push({ language, info, code: `${code.join('\n')}\n`, line: at + 1, comment: commentBefore(lines, at) });
    at = end;
  }
  return blocks;
}

/** The text of an HTML comment before the fence. One empty line may be in between. */
function commentBefore(lines: readonly string[], fence: number): string | null {
  let begin = lines[fence - 1]?.trim() === '' ? fence - 2 : fence - 1;
  if (!lines[begin]?.trimEnd().endsWith('-->')) return null;
  while (begin > 0 && !lines[begin]?.includes('<!--')) begin -= 1;
  const comment = lines.slice(begin, fence).join('\n');
  return /<!--([\s\S]*)-->/.exec(comment)?.[1]?.trim() ?? null;
}
