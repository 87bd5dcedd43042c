import { Refusal } from '../../domain/errors.ts';
import { accessToken } from '../transport/access-token.ts';
import { type HeartBeats, negotiateBeats } from './heart-beats.ts';
import { type Headers, ownCopy } from './subscribe-headers.ts';
import { negotiateVersion, type StompVersion, SUPPORTED_VERSIONS } from './version.ts';

/** The headers of CONNECT. */
export interface ConnectRequest {
  readonly version: StompVersion;
  readonly beats: HeartBeats;
  readonly token: string;
  /** The `user-id` header as sent, or null. */
  readonly claimedUserId: string | null;
}

/** The client and the server have no version of STOMP in common. */
export class UnknownVersion extends Refusal {
  constructor() {
    super('bad-input', `accept-version names no version that this server speaks (${SUPPORTED_VERSIONS})`);
  }
}

/**
 * Reads the headers of CONNECT.
 * @param subProtocol the connection's WebSocket sub-protocol, empty for none
 * @throws UnknownVersion
 * @throws Refusal `bad-input`, `no-token`
 */
export function readConnect(headers: Headers, subProtocol: string): ConnectRequest {
  const version = negotiateVersion(headers.get('accept-version'), subProtocol);
  if (version === null) throw new UnknownVersion();
  const beats = negotiateBeats(headers.get('heart-beat'));
  const token = accessToken(headers.get('access-token'));
  if (token === null) throw new Refusal('no-token', 'the header access-token is missing');
  return { version, beats, token: ownCopy(token), claimedUserId: headers.get('user-id') ?? null };
}
