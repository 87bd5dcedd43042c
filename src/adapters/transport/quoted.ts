/** UTF-16 code units of a client's text that an error message repeats. */
const MAX_QUOTED_CHARS = 60;

/**
 * A text of the client as it stands in an error message: in quotes, escaped and cut to a fixed
 * length.
 */
export function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}…` : text);
}
