import { oneOf, wholeNumber } from './forms.ts';
import { defaulted, type Group } from './variable.ts';

const SIZES: Group = 'Sizes';
const RATES: Group = 'Rates and connections';
const WINDOWS: Group = 'Times and windows';

/** The limits of one client. */
export const LIMIT_VARIABLES = {
  LIMIT_FRAME_BYTES: defaulted(SIZES, wholeNumber(1_024, 16_777_216), '65536', 'bytes of a STOMP frame'),
  LIMIT_HEADER_BYTES: defaulted(
    SIZES,
    wholeNumber(512, 1_048_576),
    '8192',
    "bytes of a frame's headers, and of all input before CONNECT is answered",
  ),
  LIMIT_CONTENT_CHARS: defaulted(
    SIZES,
    wholeNumber(1, 200_000),
    '8000',
    'characters (Unicode code points) of a message',
  ),
  LIMIT_JSON_DEPTH: defaulted(SIZES, wholeNumber(4, 1_000), '32', 'depth of nested objects and lists in a body'),
  LIMIT_OUTGOING_BYTES: defaulted(
    SIZES,
    wholeNumber(65_536, 1_073_741_824),
    '1048576',
    "bytes that may wait for one connection, including the socket's buffer; with more, the connection is closed",
  ),
  LIMIT_UPLOAD_BYTES: defaulted(SIZES, wholeNumber(1, 10_737_418_240), '26214400', 'bytes of an uploaded file'),
  LIMIT_PAGE_SIZE: defaulted(SIZES, wholeNumber(1, 1_000), '200', 'messages of a history page'),
  LIMIT_SUBSCRIPTIONS: defaulted(SIZES, wholeNumber(1, 100_000), '1000', 'subscriptions of a connection'),

  LIMIT_CONNECTIONS_PER_USER: defaulted(RATES, wholeNumber(1, 1_000_000), '20', 'connections of a user to all servers'),
  LIMIT_CONNECTIONS_PER_ADDRESS: defaulted(
    RATES,
    wholeNumber(1, 1_000_000),
    '200',
    'connections from one client address to one server',
  ),
  LIMIT_MESSAGES_PER_SECOND: defaulted(
    RATES,
    wholeNumber(1, 1_000_000),
    '10',
    'sends of a user per second; with `REDIS_URL`, on all servers together',
  ),
  LIMIT_MESSAGES_BURST: defaulted(RATES, wholeNumber(1, 1_000_000), '30', 'sends of a user at once after a pause'),
  LIMIT_TYPING_SECONDS: defaulted(
    RATES,
    wholeNumber(0, 3_600),
    '3',
    'seconds between two typing events of a user in one place; `0` means no limit',
  ),
  LIMIT_UPLOADS_PER_MINUTE: defaulted(
    RATES,
    wholeNumber(1, 1_000_000),
    '30',
    'uploads of a user per minute; with `REDIS_URL`, on all servers together',
  ),
  LIMITS: defaulted(
    RATES,
    oneOf('on', 'off'),
    'on',
    '`off` removes the limits of this table for a load test, with a warning at the start; sizes and times stay limited',
  ),

  LIMIT_CONNECT_SECONDS: defaulted(
    WINDOWS,
    wholeNumber(1, 600),
    '10',
    'seconds until a connection must have sent its CONNECT',
  ),
  LIMIT_RESUME_EVENTS: defaulted(
    WINDOWS,
    wholeNumber(0, 100_000),
    '1000',
    'events that a resumed subscription may have missed; with more, the client starts over',
  ),
  LIMIT_CHANNEL_STALENESS_SECONDS: defaulted(
    WINDOWS,
    wholeNumber(1, 86_400),
    '60',
    'seconds for which a cached list of the readers of a channel is used',
  ),
  LIMIT_LIST_STALENESS_SECONDS: defaulted(
    WINDOWS,
    wholeNumber(2, 240),
    '240',
    'seconds within which a member list that has subscribers is read from the directory again',
  ),
  FILE_URL_HOURS: defaulted(WINDOWS, wholeNumber(1, 8_760), '24', 'hours for which a link to a file is valid'),
};
