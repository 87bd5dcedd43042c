import { availableParallelism } from 'node:os';
import { baseUrl, filesLocation, hostName, mongoUrl, network, origin, presenceAddress, redisUrl } from './addresses.ts';
import { adminTokens } from './admin-tokens.ts';
import { A_SHARED_BUS, BUS_VARIABLES } from './bus.ts';
import { form, listOf, oneOf, plainText, secretForm, wholeNumber } from './forms.ts';
import { FILE_SUFFIX } from './given-text.ts';
import { LIMIT_VARIABLES } from './limit-variables.ts';
import { pemCertificates } from './pem.ts';
import { TRACE_VARIABLES } from './traces.ts';
import { defaulted, type Group, optional, type ValuesOf } from './variable.ts';

const SERVER: Group = 'Server';
const TOKENS: Group = 'Tokens and the demo';
const SERVICES: Group = 'Storage and neighbours';
const FILES: Group = 'Files';
const HTTP: Group = 'HTTP';

const PATH = plainText;
const NAME = form('1 to 100 letters, digits, `.`, `_` and `-`', (text) =>
  /^[A-Za-z0-9._-]{1,100}$/.test(text) ? text : null,
);
const LEVELS = oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent');
const NETWORKS = listOf(network, 'networks or addresses, separated by commas, e.g. `10.0.0.0/8, 192.168.1.7`');
const SECRET = secretForm('text', (text) => text);
const BEARER = secretForm('visible ASCII characters', (text) => (/^[!-~]+$/.test(text) ? text : null));
const SECRETS = listOf(SECRET, 'texts, separated by blanks', /\s+/);

const WORKER_COUNT = form(`\`auto\` or ${wholeNumber(1, 256).description}`, (text) => {
  if (text.toLowerCase() === 'auto') return Math.min(256, availableParallelism());
  return /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 256 ? Number(text) : null;
});

/** Every variable of the server. The documentation is generated from this table. */
export const VARIABLES = {
  HOST: defaulted(SERVER, hostName, '127.0.0.1', 'address on which HTTP and STOMP listen'),
  PORT: defaulted(SERVER, wholeNumber(0, 65_535), '8080', 'port on which they listen; `0` means any free port'),
  INTERNAL_PORT: optional(
    SERVER,
    wholeNumber(0, 65_535),
    'all of these are on `PORT`',
    'second port, for operators: metrics, health, the service API and the admin page; `PORT` has only health of them then',
  ),
  INTERNAL_HOST: optional(SERVER, hostName, 'the value of `HOST`', 'address of `INTERNAL_PORT`'),
  SERVER_ID: optional(
    SERVER,
    NAME,
    'the host name and an id kept in `DATA_DIR`',
    'id of this server on the bus; no other server may have it',
  ),
  WORKERS: defaulted(
    SERVER,
    WORKER_COUNT,
    '1',
    'processes behind the one port, with `-1`, `-2`, ... after the server id; `auto` means one for each core',
  ),
  DATA_DIR: defaulted(
    SERVER,
    PATH,
    './data',
    'folder of the embedded store, of uploaded files and of the generated secret',
  ),
  DRAIN_SECONDS: defaulted(
    SERVER,
    wholeNumber(0, 3_600),
    '0',
    'seconds over which a server that stops closes its clients, one after the other; `0` means all at once',
  ),
  LOG_LEVEL: defaulted(SERVER, LEVELS, 'info', 'lowest level that is logged'),

  JWT_SECRET: optional(
    TOKENS,
    SECRET,
    `a secret is generated and kept in \`DATA_DIR\`; not allowed with ${A_SHARED_BUS}, with \`MONGODB_URL\` or if \`HOST\` is not loopback`,
    'key of the tokens (HS256)',
  ),
  JWT_SECRET_ENCODING: defaulted(
    TOKENS,
    oneOf('base64', 'utf8'),
    'base64',
    'how a secret becomes a key: decoded as Base64, or the UTF-8 bytes of the text',
  ),
  JWT_SECRET_PREVIOUS: optional(TOKENS, SECRETS, 'none', 'earlier keys that are still accepted, separated by blanks'),
  DEMO: optional(
    TOKENS,
    oneOf('on', 'off'),
    '`on` if `JWT_SECRET` is not set and `HOST` is loopback, otherwise `off`',
    'the demo page, and tokens for everybody (`POST /demo/token`)',
  ),

  ...BUS_VARIABLES,

  MONGODB_URL: optional(SERVICES, mongoUrl, 'a SQLite file in `DATA_DIR`', 'store of messages and events'),
  FIRST_GENERATION: defaulted(
    SERVICES,
    oneOf('on', 'off'),
    'off',
    'whether servers of the original run on the same topics and collections; their messages then get numbers',
  ),
  REDIS_URL: optional(SERVICES, redisUrl, 'cache in memory', 'cache of the members of rooms and communities'),
  REDIS_TLS_CA: optional(
    SERVICES,
    pemCertificates,
    'the authorities of Node.js',
    'authorities that may sign the certificate of Redis, for `rediss:`',
  ),
  PRESENCE_URL: optional(
    SERVICES,
    presenceAddress,
    'embedded presence',
    'presence service, `tcp://host:port`, or `tls://host:port` for TLS',
  ),
  PRESENCE_TLS_CA: optional(
    SERVICES,
    pemCertificates,
    'the authorities of Node.js',
    'authorities that may sign the certificate of the presence service, for `tls:`',
  ),
  COMMUNITY_URL: optional(
    SERVICES,
    baseUrl,
    'the directory of `DIRECTORY_FILE`',
    'service of rooms, communities and channels',
  ),
  USER_URL: optional(
    SERVICES,
    baseUrl,
    'the directory of `DIRECTORY_FILE`; none if only `COMMUNITY_URL` is set',
    'service of user names and pictures',
  ),
  NOTIFICATION_URL: optional(
    SERVICES,
    baseUrl,
    'no notifications',
    'service that notifies users who are not looking at the place',
  ),
  MODERATOR_URL: optional(
    SERVICES,
    baseUrl,
    'no moderator',
    'service that is asked (`POST {url}/check`) before a message, reply or edit is stored',
  ),
  MODERATOR_DEFAULT: defaulted(
    SERVICES,
    oneOf('allow', 'refuse'),
    'allow',
    'whether a text is allowed or refused (2503) when the moderator does not answer within 300 ms',
  ),
  DIRECTORY_FILE: optional(
    SERVICES,
    PATH,
    'a small demo world',
    'JSON file of users, rooms, communities and channels, in the form of `neighbours/stand-ins/demo-world.json`',
  ),

  FILES_URL: optional(
    FILES,
    filesLocation,
    'a folder in `DATA_DIR`',
    'location of uploaded files: a `file:` folder, or `s3://bucket/prefix`',
  ),
  S3_ENDPOINT: optional(FILES, baseUrl, 'the one of Amazon', 'address of a store with the S3 protocol'),
  S3_REGION: optional(FILES, NAME, '`AWS_REGION`, otherwise `us-east-1`', 'region of the bucket'),
  AWS_REGION: optional(FILES, NAME, '`us-east-1`', 'region if `S3_REGION` is not set'),
  AWS_ACCESS_KEY_ID: optional(FILES, SECRET, 'the AWS SDK looks for credentials', 'key id for the bucket'),
  AWS_SECRET_ACCESS_KEY: optional(FILES, SECRET, 'the AWS SDK looks for credentials', 'secret key for the bucket'),
  AWS_SESSION_TOKEN: optional(FILES, SECRET, 'none', 'token of temporary credentials for the bucket'),

  RETENTION_DAYS: optional(
    SERVICES,
    wholeNumber(1, 36_500),
    'kept for ever',
    'messages that are older, with their files, are removed',
  ),
  RETENTION_FILE_DAYS: optional(
    FILES,
    wholeNumber(1, 36_500),
    'as long as messages',
    'files that are older are deleted with their messages',
  ),

  PUBLIC_URL: optional(HTTP, baseUrl, 'the address of the request', 'prefix of file links'),
  TRUSTED_PROXIES: optional(
    HTTP,
    NETWORKS,
    'none',
    'networks of proxies whose `X-Forwarded-*` and `Forwarded` headers are trusted, separated by commas; with several proxies in a row, of all of them',
  ),
  ALLOWED_ORIGINS: optional(
    HTTP,
    listOf(origin, 'origins, e.g. `https://chat.example.com` or `capacitor://localhost`, separated by commas, or `*`'),
    "the server's own",
    'origins of pages that may use the server, separated by commas, or `*` for all; a request without `Origin` is allowed, and so is the own host of the server (of the request or of `PUBLIC_URL`)',
  ),
  SERVICE_TOKEN: optional(
    HTTP,
    BEARER,
    'only `SERVICE_NETWORKS` opens the service calls',
    'bearer token of the service calls',
  ),
  SERVICE_NETWORKS: optional(
    HTTP,
    NETWORKS,
    'none with `SERVICE_TOKEN`, otherwise loopback and private networks',
    'networks that may make service calls, with or without `SERVICE_TOKEN`, separated by commas',
  ),

  ADMIN_TOKENS: optional(
    HTTP,
    adminTokens,
    'the service API and the admin page are closed',
    'administrators, who may use the service API and the admin page, as `name:token`, separated by commas',
  ),
  ADMIN_PAGE_ACTIONS: defaulted(
    HTTP,
    oneOf('on', 'off'),
    'off',
    'whether the admin page (`/admin`) may disconnect, ban, mute, slow places down and begin jobs; with `off`, the server refuses these calls of every web page',
  ),

  ...LIMIT_VARIABLES,
  ...TRACE_VARIABLES,
};

export type VariableName = keyof typeof VARIABLES;

/** The value of every variable. */
export type Values = ValuesOf<typeof VARIABLES>;

export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[];

/** The variables that can be given as a file. */
export const SECRET_NAMES = VARIABLE_NAMES.filter((name) => VARIABLES[name].form.isSecret);

/** The names of the variables that name a file with the value of another one. */
export const FILE_VARIABLE_NAMES: readonly string[] = SECRET_NAMES.map((name) => name + FILE_SUFFIX);

/** True for a variable of the server, of the AWS SDK or of OpenTelemetry. */
export function isKnownVariable(name: string): boolean {
  return Object.hasOwn(VARIABLES, name) || FILE_VARIABLE_NAMES.includes(name) || /^(?:AWS|OTEL)_/.test(name);
}
