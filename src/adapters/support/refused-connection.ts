import { type TlsProblem, tlsProblemOf } from './tls.ts';

/** A connection that the settings make impossible: waiting does not help. */
export interface RefusedConnection {
  /** The setting that decides about it. `login` stands for user and password. */
  readonly about: TlsProblem['about'] | 'login' | 'mechanism';
  /** Human-readable, without secrets. */
  readonly text: string;
}

const MECHANISM = /mechanism is not supported|UNSUPPORTED_SASL_MECHANISM|unsupported sasl mechanism/i;
/**
 * The answers of Kafka (also by the names that its client libraries give to them), MongoDB and
 * Redis.
 */
const LOGIN =
  /SASL.*authentication failed|KafkaJSSASLAuthenticationError|SASL_AUTHENTICATION_FAILED|\bAuthentication failed\b|\bWRONGPASS\b|\bNOAUTH\b|invalid username-password pair|invalid password/i;

/**
 * True if only other settings, or another certificate of the peer, make the connection possible. A
 * connection that was closed too early may also be that of a peer that stops.
 */
export function isRefusedForGood(error: unknown): boolean {
  const about = refusedConnection(error)?.about;
  return about !== undefined && about !== 'port';
}

/**
 * Explains an error by which a neighbour refuses this server, or this server the neighbour. Looks
 * at the causes of the error too. Returns null for an error of another kind, such as a neighbour
 * that is away.
 */
export function refusedConnection(error: unknown): RefusedConnection | null {
  const tls = tlsProblemOf(error);
  if (tls !== null) return tls;
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const text = `${at.name}: ${at.message}`;
    if (MECHANISM.test(text)) return { about: 'mechanism', text: 'the mechanism is not supported there' };
    if (LOGIN.test(text)) return { about: 'login', text: 'the user or the password is refused' };
  }
  return null;
}
