import type { Config } from '../config/config.ts';

/** A reason why this server has no sample conversations; null where it has them. */
export function reasonAgainstSamples({ demo, listen, bus, store, directory, users }: Config): string | null {
  if (!demo) return 'DEMO is off';
  if (listen.workers !== 1) return 'WORKERS is set';
  const isEmbedded = bus.kind === 'memory' && store.kind === 'sqlite';
  if (!isEmbedded) return 'a real service is configured';
  const isDemoWorld = [directory, users].every((source) => source.kind === 'file' && source.path === null);
  return isDemoWorld ? null : 'the members do not come from the demo world';
}

/**
 * The text that a start with `--demo` prints.
 * @param url of the server
 */
export function welcomeText(url: string, dataDir: string): string {
  return `
  The chat server runs on embedded parts. Open:

    ${url}/side-by-side.html    Ada and Grace side by side
    ${url}/                     one person in a window; pick who you are

  The data are in ${dataDir}
  (delete the folder to begin anew). To try:

    1. Write as Ada. Grace sees it, and that Ada is typing.
    2. Reply, edit, delete; drop a picture into the conversation.
    3. Open the inspector and cut the line. Write on both sides, then mend it.
    4. Kill this server (kill -9 ${process.pid}), write something, and start it again.
       Nothing is lost, and nothing comes twice.

`;
}
