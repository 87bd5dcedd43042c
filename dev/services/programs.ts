import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ServiceUnavailable } from './service.ts';

/** Folders of programs that Debian does not put on the path of every user. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/**
 * The path of an installed program.
 * @param hint where it can be had, such as `Debian's package haproxy has it`
 * @throws ServiceUnavailable where it is not installed
 */
export function findProgram(name: string, hint: string): string {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next folder may have it.
    }
  }
  throw new ServiceUnavailable(name, `${name} is not installed; ${hint}`);
}
