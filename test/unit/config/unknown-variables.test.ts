import { describe, expect, it } from 'vitest';
import { BUS_VARIABLES } from '../../../src/bootstrap/config/bus.ts';
import { editDistance, warnOfUnknown } from '../../../src/bootstrap/config/unknown-variables.ts';

describe('a variable that the server does not know', () => {
  it.each([
    ['LIMIT_FRAME_BYTE', '; do you mean LIMIT_FRAME_BYTES?'],
    ['KAFKA_BROKER', '; do you mean KAFKA_BROKERS?'],
    ['KAFKA_TOPIC_DIERCT', '; do you mean KAFKA_TOPIC_DIRECT?'],
    ['MONGO_URL', '; do you mean MONGODB_URL?'],
    ['JTW_SECRET', '; do you mean JWT_SECRET?'],
    ['USER_URI', '; do you mean USER_URL?'],
    ['ALOWED_ORIGINS', '; do you mean ALLOWED_ORIGINS?'],
    ['TRUSTED_PROXY', '; do you mean TRUSTED_PROXIES?'],
    ['allowed_origins', '; do you mean ALLOWED_ORIGINS?'],
    ['LIMIT_SOMETHING_ELSE_ALTOGETHER', ''],
    ['REDIS_PASSWORD_FILE', ''],
  ])('a variable that resembles one of the server gives a warning: %s', (name, hint) => {
    expect(warnOfUnknown({ [name]: '1' })).toEqual([`${name} is not a variable of this server and is ignored${hint}`]);
  });

  it.each([
    'PATH',
    'HOME',
    'PORTS',
    'USER',
    'HOSTNAME',
    'DEMOCRACY',
    'SERVERLESS',
    'NODE_OPTIONS',
    'AWS_ACCESS_KEY_ID',
    'REDIS_SERVICE_HOST',
    'REDIS_SERVICE_PORT_CLIENT',
    'KAFKA_PORT_9092_TCP_ADDR',
    'MONGODB_PORT',
    'LIMIT_FRAME_BYTES',
  ])('a variable of another program gives no warning: %s', (name) => {
    expect(warnOfUnknown({ [name]: '1' })).toEqual([]);
  });

  it('a variable that begins like one of a bus gives a warning', () => {
    for (const known of Object.keys(BUS_VARIABLES)) {
      const name = `${known.split('_', 1)[0]}_NOTHING_LIKE_IT`;
      expect(warnOfUnknown({ [name]: '1' })).toEqual([expect.stringContaining(name)]);
    }
  });
});

describe('the edit distance of two names', () => {
  it.each([
    ['ABC', 'ABC', 0],
    ['ABC', 'AC', 1],
    ['ABC', 'ABXC', 1],
    ['ABC', 'AXC', 1],
    ['ABC', 'ACB', 1],
    ['', 'ABC', 3],
    ['KITTEN', 'SITTING', 3],
  ])('the edit distance counts changed letters: %s and %s', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});
