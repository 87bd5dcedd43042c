import type { z as Zod } from 'zod';
import type {
  Answer,
  ClusterAnswer,
  ClusterQuestion,
  ModerationChanged,
  Question,
} from '../../domain/cluster-event.ts';
import { parseId, type UserId } from '../../domain/ids.ts';
import { type PlaceKey, parsePlaceKey } from '../../domain/place.ts';
import { TRACE_STEPS } from '../../domain/trace.ts';
import { schemas } from '../support/schemas.ts';
import { type Fields, Undecodable } from './record-fields.ts';

/** The events by which servers serve the calls of administrators together. */
export type ServiceEvent = ModerationChanged | ClusterQuestion | ClusterAnswer;

export function encodeService(event: ServiceEvent): Fields {
  const { kind, ...service } = event;
  return { type: kind, service };
}

const events = schemas((z) => {
  const count = z.number().int().min(0);
  const userId = z.custom<UserId>((value) => typeof value === 'number' && parseId(value) !== null);
  const place = z.custom<PlaceKey>((value) => typeof value === 'string' && parsePlaceKey(value) !== null);
  const sender = { server: z.string() };

  const subject = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('user'), userId }),
    z.object({ kind: z.literal('place'), place }),
  ]);

  const question: Zod.ZodType<Question> = z.discriminatedUnion('type', [
    z.object({ type: z.literal('sessions'), userId }),
    z.object({ type: z.literal('presence'), place }),
    z.object({ type: z.literal('server') }),
    z.object({ type: z.literal('busiest') }),
    z.object({ type: z.literal('slow') }),
    z.object({ type: z.literal('forget'), userId }),
    z.object({
      type: z.literal('trace'),
      id: z.string(),
      subject,
      remainingMs: count,
      reader: z.string().nullable(),
      take: z.boolean(),
      ends: z.boolean(),
      nonceKey: z.string().nullable(),
    }),
  ]);

  const session = z.object({
    since: z.number(),
    address: z.string(),
    transport: z.string(),
    places: z.array(place),
    subscriptions: count,
    waitingBytes: count,
  });

  const traffic = z.object({ place, events: count, deliveries: count, subscriptions: count });

  const slowClient = z.object({
    userId,
    since: z.number(),
    address: z.string(),
    transport: z.string(),
    subscriptions: count,
    waitingBytes: count,
  });

  const traceStep = z.object({
    time: z.number(),
    step: z.enum(TRACE_STEPS),
    kind: z.string().nullable(),
    userId: userId.nullable(),
    session: z.string().nullable(),
    place: place.nullable(),
    seq: count.nullable(),
    messageId: z.string().nullable(),
    author: userId.nullable(),
    code: count.nullable(),
    reason: z.string().nullable(),
    count: count.nullable(),
  });

  /** A figure that servers of an earlier version do not report. */
  const newFigure = z.number().nullable().default(null);

  const answer: Zod.ZodType<Answer> = z.discriminatedUnion('type', [
    z.object({ type: z.literal('sessions'), sessions: z.array(session) }),
    z.object({
      type: z.literal('presence'),
      subscribed: z.array(userId),
      looking: z.array(userId),
      leftOut: count,
    }),
    z.object({
      type: z.literal('server'),
      version: z.string(),
      since: z.number(),
      sessions: count,
      subscriptions: count,
      deliveriesPerSecond: z.number(),
      messagesPerSecond: newFigure,
      eventLoopUtilization: newFigure,
      eventLoopDelayMs: newFigure,
      memoryBytes: newFigure,
      lag: count.nullable(),
      ready: z.boolean(),
      reasons: z.array(z.string()),
      degraded: z.array(z.string()),
    }),
    z.object({ type: z.literal('busiest'), seconds: z.number(), places: z.array(traffic) }),
    z.object({ type: z.literal('slow'), clients: z.array(slowClient), leftOut: count }),
    z.object({ type: z.literal('forgotten'), sessions: count }),
    z.object({ type: z.literal('trace'), isTaken: z.boolean(), total: count, steps: z.array(traceStep) }),
  ]);

  return {
    'moderation-changed': z.object({ ...sender, seq: count }),
    question: z.object({ ...sender, id: z.string(), question }),
    answer: z.object({ ...sender, id: z.string(), answer }),
  };
});

/** @throws Undecodable */
export function decodeService(kind: ServiceEvent['kind'], { service }: Fields): ServiceEvent {
  switch (kind) {
    case 'moderation-changed':
      return { kind, ...read(events()[kind], service) };
    case 'question':
      return { kind, ...read(events()[kind], service) };
    case 'answer':
      return { kind, ...read(events()[kind], service) };
  }
}

function read<T>(schema: Zod.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path.join('.') ?? '';
  throw new Undecodable(`service.${field} is not valid`);
}
