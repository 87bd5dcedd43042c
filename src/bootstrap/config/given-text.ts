import { readFileSync } from 'node:fs';

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The end of the name of a variable that names a file with the value of another variable. */
export const FILE_SUFFIX = '_FILE';

/** A file with the value of a variable cannot be used. The message begins with the variable. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
}

/**
 * The text of the variable `name`, or of the file that `name` with `_FILE` names, without the line
 * break at the end of that file. Returns an empty text if neither is set.
 * @throws FileProblem without the content of the file
 */
export function givenText(env: Environment, name: string): string {
  const text = env[name] ?? '';
  const fileVariable = name + FILE_SUFFIX;
  const path = (env[fileVariable] ?? '').trim();
  if (path === '') return text;
  if (text !== '') throw new FileProblem(`${name} and ${fileVariable} are both set; set one of them`);
  const content = contentOf(path, fileVariable).replace(/\r?\n$/, '');
  if (content.trim() === '') throw new FileProblem(`${fileVariable}: the file ${path} is empty`);
  return content;
}

function contentOf(path: string, variable: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new FileProblem(`${variable}: cannot read the file ${path} (${code ?? 'not a path'})`);
  }
}
