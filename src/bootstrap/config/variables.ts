import { DEFAULT_GROUPS, DEFAULT_TOPICS } from '../../adapters/kafka/topics.ts';
import {
  baseUrl,
  broker,
  filesLocation,
  hostName,
  mongoUrl,
  network,
  origin,
  presenceAddress,
  redisUrl,
} from './addresses.ts';
import { form, listOf, oneOf, plainText, secretForm, wholeNumber } from './forms.ts';
import { LIMIT_VARIABLES } from './limit-variables.ts';
import { defaulted, type Group, optional, type ValueOf } from './variable.ts';

const SERVER: Group = 'Server';
const TOKENS: Group = 'Tokens and the demo';
const KAFKA: Group = 'Kafka';
const SERVICES: Group = 'Storage and neighbours';
const FILES: Group = 'Files';
const HTTP: Group = 'HTTP';

const PATH = plainText;
const NAME = form('1 to 100 letters, digits, `.`, `_` and `-`', (text) =>
  /^[A-Za-z0-9._-]{1,100}$/.test(text) ? text : null,
);
const TOPIC = form('1 to 249 letters, digits, `.`, `_` and `-`', (text) =>
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/.test(text) ? text : null,
);
const LEVELS = oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent');
const NETWORKS = listOf(network, 'networks or addresses, split by commas, e.g. `10.0.0.0/8, 192.168.1.7`');
const SECRET = secretForm('a text', (text) => text);
const BEARER = secretForm('a text of visible ASCII characters', (text) => (/^[!-~]+$/.test(text) ? text : null));
const SECRETS = listOf(SECRET, 'texts, split by blanks', /\s+/);

/** Every variable of the server: the only list there is, of which the documentation is made. */
export const VARIABLES = {
  HOST: defaulted(SERVER, hostName, '127.0.0.1', 'address on which HTTP and STOMP listen'),
  PORT: defaulted(SERVER, wholeNumber(0, 65_535), '8080', 'port on which they listen; `0`: any that is free'),
  SERVER_ID: optional(
    SERVER,
    NAME,
    'the host name and an id kept in `DATA_DIR`',
    "suffix of this server's consumer groups, unlike that of any other server",
  ),
  WORKERS: defaulted(
    SERVER,
    wholeNumber(1, 256),
    '1',
    'processes behind the one port, with `-1`, `-2`, ... after the server id; more than one need `KAFKA_BROKERS` and `MONGODB_URL`',
  ),
  DATA_DIR: defaulted(SERVER, PATH, './data', 'folder of the embedded store, uploaded files and the generated secret'),
  LOG_LEVEL: defaulted(SERVER, LEVELS, 'info', 'least level that is logged'),

  JWT_SECRET: optional(
    TOKENS,
    SECRET,
    'a secret is generated and kept in `DATA_DIR`; refused where `KAFKA_BROKERS` or `MONGODB_URL` is set or `HOST` is not loopback',
    'key of the tokens (HS256)',
  ),
  JWT_SECRET_ENCODING: defaulted(
    TOKENS,
    oneOf('base64', 'utf8'),
    'base64',
    "how secrets become keys: decoded as Base64, or the text's UTF-8 bytes",
  ),
  JWT_SECRET_PREVIOUS: optional(TOKENS, SECRETS, 'none', 'keys still accepted, split by blanks'),
  DEMO: optional(
    TOKENS,
    oneOf('on', 'off'),
    'on exactly when `JWT_SECRET` is unset and `HOST` is loopback',
    'the demo page, and tokens for everybody who asks (`POST /demo/token`)',
  ),

  KAFKA_BROKERS: optional(
    KAFKA,
    listOf(broker, '`host:port`, split by commas'),
    'embedded bus',
    'brokers, split by commas',
  ),
  KAFKA_TOPIC_DIRECT: defaulted(KAFKA, TOPIC, DEFAULT_TOPICS.DIRECT, 'topic of new direct messages'),
  KAFKA_TOPIC_CHANNEL: defaulted(KAFKA, TOPIC, DEFAULT_TOPICS.CHANNEL, 'topic of new channel messages'),
  KAFKA_TOPIC_DIRECT_ETC: defaulted(
    KAFKA,
    TOPIC,
    DEFAULT_TOPICS.DIRECT_ETC,
    'topic of replies, edits, deletions and typing in direct rooms',
  ),
  KAFKA_TOPIC_CHANNEL_ETC: defaulted(
    KAFKA,
    TOPIC,
    DEFAULT_TOPICS.CHANNEL_ETC,
    'topic of replies, edits, deletions and typing in channels',
  ),
  KAFKA_TOPIC_FILE: defaulted(KAFKA, TOPIC, DEFAULT_TOPICS.FILE, 'topic of uploaded files'),
  KAFKA_TOPIC_STATE: defaulted(KAFKA, TOPIC, DEFAULT_TOPICS.STATE, 'topic of who comes, goes and speaks'),
  KAFKA_GROUP_DIRECT: defaulted(KAFKA, TOPIC, DEFAULT_GROUPS.DIRECT, 'group that reads the topic of the same name'),
  KAFKA_GROUP_CHANNEL: defaulted(KAFKA, TOPIC, DEFAULT_GROUPS.CHANNEL, 'the same'),
  KAFKA_GROUP_DIRECT_ETC: defaulted(KAFKA, TOPIC, DEFAULT_GROUPS.DIRECT_ETC, 'the same'),
  KAFKA_GROUP_CHANNEL_ETC: defaulted(KAFKA, TOPIC, DEFAULT_GROUPS.CHANNEL_ETC, 'the same'),
  KAFKA_GROUP_FILE: defaulted(KAFKA, TOPIC, DEFAULT_GROUPS.FILE, 'the same'),
  KAFKA_GROUP_STATE: defaulted(KAFKA, TOPIC, DEFAULT_GROUPS.STATE, 'the same'),

  MONGODB_URL: optional(SERVICES, mongoUrl, 'a SQLite file in `DATA_DIR`', 'store of messages and events'),
  REDIS_URL: optional(SERVICES, redisUrl, 'cache in memory', 'cache of who belongs to rooms and communities'),
  PRESENCE_URL: optional(SERVICES, presenceAddress, 'embedded presence', 'presence service, `tcp://host:port`'),
  COMMUNITY_URL: optional(
    SERVICES,
    baseUrl,
    'the directory of `DIRECTORY_FILE`',
    'service that knows rooms, communities and channels',
  ),
  USER_URL: optional(
    SERVICES,
    baseUrl,
    'the directory of `DIRECTORY_FILE`; none where only `COMMUNITY_URL` is set',
    'service that knows names and pictures',
  ),
  NOTIFICATION_URL: optional(SERVICES, baseUrl, 'no notifications', 'service that notifies those who are not looking'),
  DIRECTORY_FILE: optional(SERVICES, PATH, 'a small demo world', 'JSON file of users, rooms, communities and channels'),

  FILES_URL: optional(
    FILES,
    filesLocation,
    'a folder in `DATA_DIR`',
    'where uploaded files are kept: a `file:` folder, or `s3://bucket/prefix`',
  ),
  S3_ENDPOINT: optional(FILES, baseUrl, "Amazon's", 'address of a store that speaks S3'),
  S3_REGION: optional(FILES, NAME, '`AWS_REGION`, else `us-east-1`', "the bucket's region"),
  AWS_REGION: optional(FILES, NAME, '`us-east-1`', 'region where `S3_REGION` is not set'),

  PUBLIC_URL: optional(HTTP, baseUrl, 'as the request was addressed', 'prefix of file links'),
  TRUSTED_PROXIES: optional(
    HTTP,
    NETWORKS,
    'none',
    'networks whose `X-Forwarded-*` and `Forwarded` are believed, split by commas',
  ),
  ALLOWED_ORIGINS: optional(
    HTTP,
    listOf(origin, 'origins, e.g. `https://chat.example.com`, split by commas, or `*`'),
    "the server's own",
    'origins of pages that may use the server, split by commas, or `*` for all; a request without `Origin` passes',
  ),
  SERVICE_TOKEN: optional(HTTP, BEARER, 'callers from `SERVICE_NETWORKS`', 'bearer token that opens the service calls'),
  SERVICE_NETWORKS: optional(
    HTTP,
    NETWORKS,
    'loopback and private networks',
    'networks from which service calls are taken where `SERVICE_TOKEN` is not set, split by commas',
  ),

  ...LIMIT_VARIABLES,
};

export type VariableName = keyof typeof VARIABLES;

/** The value of every variable, read. */
export type Values = { readonly [Name in VariableName]: ValueOf<(typeof VARIABLES)[Name]> };

export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[];

/** Whether setting that variable means something to the server or the AWS SDK within it. */
export function isKnownVariable(name: string): boolean {
  return Object.hasOwn(VARIABLES, name) || name.startsWith('AWS_');
}
