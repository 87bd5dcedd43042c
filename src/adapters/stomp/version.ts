export type StompVersion = '1.0' | '1.1' | '1.2';

/** The highest version comes first. */
const VERSIONS: readonly StompVersion[] = ['1.2', '1.1', '1.0'];

/** The supported versions as an ERROR frame lists them. */
export const SUPPORTED_VERSIONS = '1.0,1.1,1.2';

/** WebSocket sub-protocols of these versions, in the server's order of preference. */
export const SUB_PROTOCOLS: readonly string[] = ['v12.stomp', 'v11.stomp', 'v10.stomp'];

/**
 * Chooses the highest version in `accept` that is not above the WebSocket sub-protocol. Null: there
 * is none.
 * @param accept the `accept-version` header, e.g. `1.1,1.2`; undefined means 1.0
 * @param subProtocol e.g. `v12.stomp`; any other text sets no upper bound
 */
export function negotiateVersion(accept: string | undefined, subProtocol: string): StompVersion | null {
  if (accept === undefined) return '1.0';
  const upperBound = Math.max(0, SUB_PROTOCOLS.indexOf(subProtocol));
  const offered = accept.split(',').map((version) => version.trim());
  return VERSIONS.slice(upperBound).find((version) => offered.includes(version)) ?? null;
}
