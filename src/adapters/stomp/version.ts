export type StompVersion = '1.0' | '1.1' | '1.2';

/** Highest first. */
const KNOWN: readonly StompVersion[] = ['1.2', '1.1', '1.0'];

/** As an ERROR frame lists them. */
export const SUPPORTED_VERSIONS = '1.0,1.1,1.2';

/** WebSocket sub-protocols of these versions, in the order in which the server prefers them. */
export const SUB_PROTOCOLS: readonly string[] = ['v12.stomp', 'v11.stomp', 'v10.stomp'];

/**
 * The version to speak: the highest of `accept` that is not above the WebSocket sub-protocol. Null: none in common.
 * @param accept the `accept-version` header, e.g. `1.1,1.2`; without one the client speaks 1.0
 * @param subProtocol `v12.stomp` or the like; anything else sets no bound
 */
export function negotiateVersion(accept: string | undefined, subProtocol: string): StompVersion | null {
  if (accept === undefined) return '1.0';
  const bound = Math.max(0, SUB_PROTOCOLS.indexOf(subProtocol));
  const offered = accept.split(',').map((version) => version.trim());
  return KNOWN.slice(bound).find((version) => offered.includes(version)) ?? null;
}
