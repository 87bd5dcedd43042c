import { type RefusedConnection, refusedConnection } from '../adapters/support/refused-connection.ts';

/** A variable of Node.js. HTTPS trusts its authorities in addition to those of Node.js. */
const EXTRA_AUTHORITIES = 'NODE_EXTRA_CA_CERTS';

/** For each variable with an address, the variables that decide about a refused connection. */
const DECIDING: Readonly<Record<string, Partial<Record<RefusedConnection['about'], string>>>> = {
  KAFKA_BROKERS: {
    ca: 'KAFKA_TLS_CA',
    cert: 'KAFKA_TLS_CERT',
    serverName: 'KAFKA_TLS_SERVER_NAME',
    port: 'KAFKA_TLS',
    login: 'KAFKA_SASL_PASSWORD',
    mechanism: 'KAFKA_SASL',
  },
  REDIS_URL: { ca: 'REDIS_TLS_CA' },
  PRESENCE_URL: { ca: 'PRESENCE_TLS_CA' },
  MONGODB_URL: {},
  FILES_URL: { ca: EXTRA_AUTHORITIES, serverName: 'S3_ENDPOINT', port: 'S3_ENDPOINT' },
  COMMUNITY_URL: { ca: EXTRA_AUTHORITIES },
  USER_URL: { ca: EXTRA_AUTHORITIES },
  NOTIFICATION_URL: { ca: EXTRA_AUTHORITIES },
};

/** The services as messages name them. */
const PEERS: Readonly<Record<string, string>> = {
  KAFKA_BROKERS: 'the broker',
  REDIS_URL: 'Redis',
  PRESENCE_URL: 'the presence service',
  MONGODB_URL: 'MongoDB',
  FILES_URL: 'the S3 store',
  COMMUNITY_URL: 'the community service',
  USER_URL: 'the user service',
  NOTIFICATION_URL: 'the notification service',
};

export interface Refused {
  /** The variable that the operator must look at. */
  readonly variable: string;
  /** Human-readable, without secrets. */
  readonly text: string;
}

/**
 * Says which variable makes a connection impossible. Returns null if the error is of another kind.
 * @param variable the variable with the address
 * @param error an error, or the message of one
 */
export function refusedBy(variable: string, error: unknown): Refused | null {
  const deciding = DECIDING[variable];
  if (deciding === undefined) return null;
  const refused = refusedConnection(typeof error === 'string' ? new Error(error) : error);
  if (refused === null) return null;
  const peer = PEERS[variable];
  const text = refused.about === 'login' ? `${peer} refuses the user or the password` : refused.text;
  return { variable: deciding[refused.about] ?? variable, text };
}
