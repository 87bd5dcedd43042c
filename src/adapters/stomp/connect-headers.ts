import { Refusal } from '../../domain/errors.ts';
import { accessToken } from '../transport/access-token.ts';
import { type Beats, negotiateBeats } from './heart-beats.ts';
import { type Headers, ownCopy } from './subscribe-headers.ts';
import { negotiateVersion, type StompVersion, SUPPORTED_VERSIONS } from './version.ts';

/** What a CONNECT asks for. */
export interface ConnectRequest {
  readonly version: StompVersion;
  readonly beats: Beats;
  readonly token: string;
  /** The `user-id` header as sent, or null. */
  readonly claimedUserId: string | null;
}

/** The client speaks no version that the server does. */
export class UnknownVersion extends Refusal {
  constructor() {
    super('bad-input', `the server speaks STOMP ${SUPPORTED_VERSIONS}`);
  }
}

/** @param subProtocol the connection's WebSocket sub-protocol, empty for none @throws UnknownVersion, Refusal `bad-input`, `no-token` */
export function readConnect(headers: Headers, subProtocol: string): ConnectRequest {
  const version = negotiateVersion(headers.get('accept-version'), subProtocol);
  if (version === null) throw new UnknownVersion();
  const beats = negotiateBeats(headers.get('heart-beat'));
  const token = accessToken(headers.get('access-token'));
  if (token === null) throw new Refusal('no-token', 'CONNECT has no access-token');
  return { version, beats, token: ownCopy(token), claimedUserId: headers.get('user-id') ?? null };
}
