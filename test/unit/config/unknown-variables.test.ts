import { describe, expect, it } from 'vitest';
import { editDistance, warnOfUnknown } from '../../../src/bootstrap/config/unknown-variables.ts';

describe('a variable that nobody knows', () => {
  it.each([
    ['LIMIT_FRAME_BYTE', '; is LIMIT_FRAME_BYTES meant?'],
    ['KAFKA_BROKER', '; is KAFKA_BROKERS meant?'],
    ['KAFKA_TOPIC_DIERCT', '; is KAFKA_TOPIC_DIRECT meant?'],
    ['MONGO_URL', '; is MONGODB_URL meant?'],
    ['JTW_SECRET', '; is JWT_SECRET meant?'],
    ['USER_URI', '; is USER_URL meant?'],
    ['ALOWED_ORIGINS', '; is ALLOWED_ORIGINS meant?'],
    ['TRUSTED_PROXY', '; is TRUSTED_PROXIES meant?'],
    ['allowed_origins', '; is ALLOWED_ORIGINS meant?'],
    ['LIMIT_SOMETHING_ELSE_ALTOGETHER', ''],
    ['REDIS_PASSWORD_FILE', ''],
  ])('and looks like ours is named: %s', (name, hint) => {
    expect(warnOfUnknown({ [name]: '1' })).toEqual([`${name} is no variable of this server and is ignored${hint}`]);
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
  ])('and is of others is left alone: %s', (name) => {
    expect(warnOfUnknown({ [name]: '1' })).toEqual([]);
  });
});

describe('the distance of two names', () => {
  it.each([
    ['ABC', 'ABC', 0],
    ['ABC', 'AC', 1],
    ['ABC', 'ABXC', 1],
    ['ABC', 'AXC', 1],
    ['ABC', 'ACB', 1],
    ['', 'ABC', 3],
    ['KITTEN', 'SITTING', 3],
  ])('counts letters: %s and %s', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});
