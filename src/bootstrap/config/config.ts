import type { FilesLocation } from '../../adapters/files/create-file-store.ts';
import type { SecretEncoding } from '../../adapters/jwt/signing-keys.ts';
import type { NamePerStream } from '../../adapters/kafka/topics.ts';
import type { LogThreshold } from '../../adapters/system/telemetry.ts';
import type { Limits } from '../../application/limits.ts';
import type { ConnectionUrl } from './connection-url.ts';

/** What the environment asks for. Holds no secret, so it may be logged; what a service's URL may hold is hidden there. */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number; readonly workers: number };
  readonly server: {
    /** Null: made of the host name and an id kept in the data folder. */
    readonly id: string | null;
    /** Absolute. */
    readonly dataDir: string;
    readonly logLevel: LogThreshold;
  };
  readonly demo: boolean;
  readonly bus: BusChoice;
  readonly store:
    | { readonly kind: 'sqlite'; readonly file: string }
    | { readonly kind: 'mongo'; readonly url: ConnectionUrl };
  readonly memberCache: { readonly kind: 'memory' } | { readonly kind: 'redis'; readonly url: ConnectionUrl };
  readonly presence:
    | { readonly kind: 'embedded' }
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number };
  readonly directory: FromFile | AtService;
  /** None where a community service knows the members and nothing their names: those of the demo world would be wrong. */
  readonly users: FromFile | AtService | { readonly kind: 'none' };
  readonly notifications: AtService | { readonly kind: 'none' };
  readonly files: FilesChoice;
  readonly http: HttpConfig;
  readonly limits: AllLimits;
}

export type BusChoice =
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'kafka';
      /** `host:port` */
      readonly brokers: readonly string[];
      readonly topics: NamePerStream;
      /** Before the server's own suffix. */
      readonly groups: NamePerStream;
    };

/** A directory's JSON file; a null path stands for the demo world. */
export interface FromFile {
  readonly kind: 'file';
  readonly path: string | null;
}

/** A service's base URL, without a slash at its end. */
export interface AtService {
  readonly kind: 'rest';
  readonly url: string;
}

type S3Location = Extract<FilesLocation, { kind: 's3' }>;

export type FilesChoice =
  | Extract<FilesLocation, { kind: 'folder' }>
  | (S3Location & {
      /** Null: Amazon's. */
      readonly endpoint: string | null;
      readonly region: string;
    });

export interface HttpConfig {
  /** Without a slash at its end; null: as the request was addressed. */
  readonly publicUrl: string | null;
  readonly trustedProxies: readonly string[];
  /** Empty: the server's own; `*`: all. */
  readonly allowedOrigins: readonly string[];
  readonly serviceNetworks: readonly string[];
  readonly fileUrlHours: number;
}

/** The application's limits and those of a connection; rates and connections are Infinity, and `typingSeconds` 0, where limits are off. */
export interface AllLimits extends Limits {
  readonly frameBytes: number;
  readonly headerBytes: number;
  readonly subscriptions: number;
  readonly connectionsPerAddress: number;
  readonly connectSeconds: number;
  readonly outgoingBytes: number;
  readonly jsonDepth: number;
}

/** What must never be logged. */
export interface Secrets {
  /** Of the tokens: the first signs, all are accepted. A null `secret` is to be generated. */
  readonly jwt: {
    readonly secret: string | null;
    readonly previous: readonly string[];
    readonly encoding: SecretEncoding;
  };
  readonly serviceToken: string | null;
}

/** What the environment said, and what whoever starts the server should hear. */
export interface ReadConfig {
  readonly config: Config;
  readonly secrets: Secrets;
  /** One line each, without secrets. */
  readonly warnings: readonly string[];
}

/** The environment makes no sense. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** All that is wrong, one line each, with the variable's name. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration makes no sense:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}
