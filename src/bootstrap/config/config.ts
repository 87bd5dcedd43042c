import type { FilesLocation } from '../../adapters/files/create-file-store.ts';
import type { AdminToken } from '../../adapters/http/service/admin-rule.ts';
import type { SecretEncoding } from '../../adapters/jwt/signing-keys.ts';
import type { RedisLocation } from '../../adapters/redis/location.ts';
import type { TlsOptions } from '../../adapters/support/tls.ts';
import type { LogThreshold } from '../../adapters/system/telemetry.ts';
import type { Limits } from '../../application/limits.ts';
import type { RetentionRules } from '../../application/retention/remove-expired.ts';
import type { BusChoice } from './bus.ts';
import type { ConnectionUrl } from './connection-url.ts';
import type { TraceChoice } from './traces.ts';

/**
 * The configuration that the environment asks for. It holds no secret, so it may be logged. A URL
 * with a password hides it when it is printed.
 */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number; readonly workers: number };
  /** The second port, for operators. Null: they use the first one. */
  readonly internal: { readonly host: string; readonly port: number } | null;
  readonly server: {
    /** Null: the host name with an id that is kept in the data folder. */
    readonly id: string | null;
    /** An absolute path. */
    readonly dataDir: string;
    /** Time over which a server that stops closes its clients. 0: all at once. */
    readonly drainSeconds: number;
    readonly logLevel: LogThreshold;
  };
  readonly demo: boolean;
  readonly bus: BusChoice;
  readonly store:
    | { readonly kind: 'sqlite'; readonly file: string }
    | { readonly kind: 'mongo'; readonly url: ConnectionUrl };
  /** Servers of the original run on the same topics and collections. */
  readonly firstGeneration: boolean;
  readonly memberCache: { readonly kind: 'memory' } | RedisChoice;
  readonly presence:
    | { readonly kind: 'embedded' }
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: TlsOptions | null };
  readonly directory: FromFile | AtService;
  /**
   * `none` if a community service knows the members but nothing knows their names. The demo world
   * would give wrong names.
   */
  readonly users: FromFile | AtService | { readonly kind: 'none' };
  readonly notifications: AtService | { readonly kind: 'none' };
  /** The moderator, and what counts while it does not answer. */
  readonly moderator: (AtService & { readonly whenAway: 'allow' | 'refuse' }) | { readonly kind: 'none' };
  readonly files: FilesChoice;
  readonly retention: RetentionRules;
  readonly http: HttpConfig;
  readonly limits: AllLimits;
  /** Null: no traces. */
  readonly traces: TraceChoice | null;
}

export interface RedisChoice {
  readonly kind: 'redis';
  readonly location: RedisLocation;
  /** Null without TLS. */
  readonly tls: TlsOptions | null;
}

/** A directory from a JSON file. A null path means the demo world. */
export interface FromFile {
  readonly kind: 'file';
  readonly path: string | null;
}

/** The base URL of a service, without a slash at its end. */
export interface AtService {
  readonly kind: 'rest';
  readonly url: string;
}

type S3Location = Extract<FilesLocation, { kind: 's3' }>;

export type FilesChoice =
  | Extract<FilesLocation, { kind: 'folder' }>
  | (S3Location & {
      /** Null: the endpoint of Amazon. */
      readonly endpoint: string | null;
      readonly region: string;
    });

export interface HttpConfig {
  /** Prefix of file links, without a slash at its end. Null: the address of the request. */
  readonly publicUrl: string | null;
  readonly trustedProxies: readonly string[];
  /** Empty: the server's own origin. `*`: all. */
  readonly allowedOrigins: readonly string[];
  /** Callers from here may make service calls without the token. */
  readonly serviceNetworks: readonly string[];
  readonly fileUrlHours: number;
  /** Web pages of administrators may do more than read. */
  readonly adminPageActions: boolean;
}

/**
 * The limits of the application and of a connection. With `LIMITS=off`, rates and connections are
 * Infinity and `typingSeconds` is 0.
 */
export interface AllLimits extends Limits {
  readonly frameBytes: number;
  readonly headerBytes: number;
  readonly subscriptions: number;
  readonly connectionsPerAddress: number;
  readonly connectSeconds: number;
  readonly outgoingBytes: number;
  readonly jsonDepth: number;
}

/** The secrets. They must never be logged. */
export interface Secrets {
  /**
   * Keys of the tokens. `secret` signs, and `previous` are still accepted. A null `secret` means:
   * generate one.
   */
  readonly jwt: {
    readonly secret: string | null;
    readonly previous: readonly string[];
    readonly encoding: SecretEncoding;
  };
  readonly serviceToken: string | null;
  /** Empty: the service API is closed. */
  readonly adminTokens: readonly AdminToken[];
  /** Headers for the collector of traces. */
  readonly traceHeaders: Readonly<Record<string, string>>;
  /** The credentials of the bucket; null: the AWS SDK looks for them. */
  readonly s3: S3Credentials | null;
}

interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The result of reading the environment. */
export interface ReadConfig {
  readonly config: Config;
  readonly secrets: Secrets;
  /** For the operator, one line each, without secrets. */
  readonly warnings: readonly string[];
}

/** The environment is not a valid configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Every error, one line each, with the name of the variable. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}
