import { machine } from './process-meter.ts';

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Prints the title of a bench, with time and machine. */
export function heading(title: string): void {
  say(`\n## ${title}\n\n${new Date().toISOString().slice(0, 16)}Z, ${machine()}\n`);
}

/** Prints a Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const texts = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(...texts.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${widths.map((width, i) => (row[i] ?? '').padEnd(width)).join(' | ')} |`;
  const [first = [], ...rest] = texts;
  say([line(first), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rest.map(line)].join('\n'));
}

/** `min / median / max` of several runs. */
export function spread(values: readonly number[], digits = 0): string {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const shown = (value: number) => number(value, digits);
  return sorted.length < 2
    ? shown(middle)
    : `${shown(sorted[0] ?? 0)} / ${shown(middle)} / ${shown(sorted.at(-1) ?? 0)}`;
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
