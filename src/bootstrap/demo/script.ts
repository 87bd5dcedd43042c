/** One line of a sample conversation. `back` counts messages: 1 is the previous one. */
export interface Line {
  readonly kind: 'message' | 'reply' | 'edit' | 'delete' | 'picture' | 'file';
  readonly author: string;
  /** The text, or the name of the file. */
  readonly text: string;
  /** The message that is answered, edited or deleted; 0 for none. */
  readonly back: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

const LINE = /^(\S+?)(?: (?:\^(\d+)|(edit|delete) (\d+)|(picture|file)))?(?:: (.*))?$/;
const SECTION = /^@ -(\d+)(?:d (\d\d):(\d\d)|m)$/;
const DAY_MS = 24 * 60 * 60 * 1_000;
const MINUTE_MS = 60_000;
/** Seconds between two messages: reading the last one, and writing the next at some speed. */
const READING_SECONDS = 9;
const SECONDS_PER_CHAR = 0.35;

/**
 * Reads a sample conversation. Each line is one of:
 *
 *     @ -3d 09:25         the time of the lines that follow: three days ago, in local time
 *     @ -40m              40 minutes ago
 *     Ada: text           a message; ⏎ stands for a line break
 *     Ada ^2: text        a reply to the last message but one
 *     Ada edit 1: text    an edit of the last message
 *     Ada delete 1        a deletion of it
 *     Ada picture: a.png  a picture
 *     Ada file: a.md      another file
 *
 * @param now milliseconds since 1970
 * @throws Error that names a line without one of these forms
 */
export function readScript(script: string, now: number): Line[] {
  const lines: Line[] = [];
  let time = now;
  for (const line of script.split('\n')) {
    if (line === '') continue;
    const section = SECTION.exec(line);
    if (section !== null) {
      time = timeOf(section, now);
      continue;
    }
    const [, author, answered, change, changed, file, content = ''] = LINE.exec(line) ?? [];
    if (author === undefined) throw new Error(`not a line of a sample conversation: ${line}`);
    const text = content.replaceAll('⏎', '\n');
    const kind = (change ?? file ?? (answered === undefined ? 'message' : 'reply')) as Line['kind'];
    time += Math.round((READING_SECONDS + text.length * SECONDS_PER_CHAR) * 1_000);
    lines.push({ kind, author, text, back: Number(answered ?? changed ?? 0), time: Math.min(time, now) });
  }
  return lines;
}

function timeOf([, ago, hours, minutes]: readonly (string | undefined)[], now: number): number {
  if (hours === undefined) return now - Number(ago) * MINUTE_MS;
  const day = new Date(now - Number(ago) * DAY_MS);
  return day.setHours(Number(hours), Number(minutes), 0, 0);
}
