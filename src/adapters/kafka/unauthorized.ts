/** The answers of a broker to a request without the right to it, and the kind of the resource. */
export const UNAUTHORIZED: ReadonlyMap<unknown, 'topic' | 'group'> = new Map([
  ['TOPIC_AUTHORIZATION_FAILED', 'topic'],
  ['GROUP_AUTHORIZATION_FAILED', 'group'],
]);
