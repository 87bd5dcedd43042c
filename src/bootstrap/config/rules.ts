import { signingKeys } from '../../adapters/jwt/signing-keys.ts';
import type { NamePerStream } from '../../adapters/kafka/topics.ts';
import { RECORD_STREAMS } from '../../adapters/records/record-stream.ts';
import { isLoopback } from './addresses.ts';
import type { ReadEnvironment } from './environment.ts';
import type { Values } from './variables.ts';

/**
 * What is wrong with variables that each make sense, one line each. It asks whether a variable is set and not whether it makes sense, since what
 * is wrong with it by itself has been said already.
 */
export function problemsTogether(read: ReadEnvironment): string[] {
  const { values } = read;
  return [
    ...missingSecret(read),
    ...uselessSecrets(values),
    ...lonelyWorkers(read),
    ...doubles('KAFKA_TOPIC', topicNames(values)),
    ...doubles('KAFKA_GROUP', groupNames(values)),
    ...headersOverFrame(values),
  ];
}

export function topicNames(values: Values): NamePerStream {
  return {
    DIRECT: values.KAFKA_TOPIC_DIRECT,
    CHANNEL: values.KAFKA_TOPIC_CHANNEL,
    DIRECT_ETC: values.KAFKA_TOPIC_DIRECT_ETC,
    CHANNEL_ETC: values.KAFKA_TOPIC_CHANNEL_ETC,
    FILE: values.KAFKA_TOPIC_FILE,
    STATE: values.KAFKA_TOPIC_STATE,
  };
}

export function groupNames(values: Values): NamePerStream {
  return {
    DIRECT: values.KAFKA_GROUP_DIRECT,
    CHANNEL: values.KAFKA_GROUP_CHANNEL,
    DIRECT_ETC: values.KAFKA_GROUP_DIRECT_ETC,
    CHANNEL_ETC: values.KAFKA_GROUP_CHANNEL_ETC,
    FILE: values.KAFKA_GROUP_FILE,
    STATE: values.KAFKA_GROUP_STATE,
  };
}

/** A generated secret is known to this server alone, and with it the demo gives tokens to everybody who asks. */
function missingSecret({ values, given }: ReadEnvironment): string[] {
  if (given.has('JWT_SECRET')) return [];
  if (given.has('KAFKA_BROKERS')) return ['JWT_SECRET must be set where KAFKA_BROKERS is'];
  if (given.has('MONGODB_URL')) return ['JWT_SECRET must be set where MONGODB_URL is'];
  if (isLoopback(values.HOST)) return [];
  return ['JWT_SECRET must be set where HOST is not loopback'];
}

function uselessSecrets(values: Values): string[] {
  const encoding = values.JWT_SECRET_ENCODING;
  const problems: string[] = [];
  const check = (name: string, secret: string) => {
    try {
      signingKeys({ secrets: [secret], encoding });
    } catch {
      problems.push(`${name} gives an empty key when read as ${encoding}, which JWT_SECRET_ENCODING says`);
    }
  };
  if (values.JWT_SECRET !== null) check('JWT_SECRET', values.JWT_SECRET);
  for (const [index, secret] of (values.JWT_SECRET_PREVIOUS ?? []).entries()) {
    check(`JWT_SECRET_PREVIOUS, entry ${index + 1},`, secret);
  }
  return problems;
}

function lonelyWorkers({ values, given }: ReadEnvironment): string[] {
  if (values.WORKERS === 1) return [];
  const needed = (['KAFKA_BROKERS', 'MONGODB_URL'] as const).filter((name) => !given.has(name));
  return needed.length === 0
    ? []
    : [`WORKERS must be 1 where ${needed.join(' and ')} ${needed.length === 1 ? 'is' : 'are'} not set`];
}

function doubles(prefix: 'KAFKA_TOPIC' | 'KAFKA_GROUP', names: NamePerStream): string[] {
  const first = new Map<string, string>();
  return RECORD_STREAMS.flatMap((kind) => {
    const name = names[kind];
    const earlier = first.get(name);
    first.set(name, earlier ?? kind);
    return earlier === undefined ? [] : [`${prefix}_${kind} must not be that of ${prefix}_${earlier}, ${name}`];
  });
}

function headersOverFrame({ LIMIT_HEADER_BYTES, LIMIT_FRAME_BYTES }: Values): string[] {
  if (LIMIT_HEADER_BYTES <= LIMIT_FRAME_BYTES) return [];
  return [`LIMIT_HEADER_BYTES must be at most LIMIT_FRAME_BYTES, ${LIMIT_FRAME_BYTES}`];
}
