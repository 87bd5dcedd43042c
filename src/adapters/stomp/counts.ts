import type { ChatEvent } from '../../domain/chat-event.ts';
import type { RefusalCode } from '../../domain/errors.ts';
import { Distribution, LabelledCounts, SECONDS } from '../support/figures.ts';

/** Kinds of frames from clients. A SEND counts by the kind of its destination. */
export const RECEIVED_KINDS = [
  ...(['connect', 'subscribe', 'unsubscribe', 'disconnect', 'ack', 'unknown'] as const),
  ...(['message', 'reply', 'modify', 'delete', 'typing', 'place', 'voice', 'read', 'token'] as const),
] as const;
export type ReceivedKind = (typeof RECEIVED_KINDS)[number];

/**
 * Kinds of frames to clients. A MESSAGE counts by the kind of its event. `replay`: an event that a
 * resume brought. `notice`: a reset or a removal. `personal`: a personal event. `refusal`: the
 * report of a refused frame.
 */
export const SENT_KINDS = [
  ...(['connected', 'receipt', 'error', 'refusal', 'replay', 'notice', 'personal'] as const),
  ...(['message', 'reply', 'file', 'modify', 'delete', 'foreign', 'typing', 'presence', 'voice'] as const),
] as const;
export type SentKind = (typeof SENT_KINDS)[number];

/** Why a connection ended. */
export type CloseCause =
  | 'client'
  | 'lost'
  | 'heart_beat'
  | 'slow_consumer'
  | 'too_large'
  | 'token'
  | 'limit'
  | 'drain'
  | 'protocol'
  | 'refused'
  | 'internal';

/** Counters of an endpoint since its start. Plain fields: they are part of each delivery. */
export interface Counts {
  /** Live subscriptions now. */
  subscriptions: number;
  /** Events handed to live subscriptions. */
  delivered: number;
  /** Events of low value that were not sent to slow connections. */
  spared: number;
  /**
   * Refused commands that were not reported: the client had asked for neither errors nor a receipt.
   * Part of `refused`.
   */
  unheard: number;
  readonly received: Record<ReceivedKind, number>;
  readonly sent: Record<SentKind, number>;
  /** Refused commands, by code. */
  readonly refused: LabelledCounts;
  /** ERROR frames, by code. Each has ended a connection. */
  readonly errors: LabelledCounts;
  /** CONNECT frames, by `ok` or the code of the refusal. */
  readonly connects: LabelledCounts;
  /** Ended connections, by close code and cause. */
  readonly closes: LabelledCounts;
  /** Seconds from a SEND to its RECEIPT. */
  readonly receipts: Distribution;
}

const REFUSAL_CODES: Readonly<Record<RefusalCode, true>> = {
  'bad-input': true,
  'no-token': true,
  'bad-token': true,
  'not-permitted': true,
  'message-not-found': true,
  'not-the-author': true,
  'too-large': true,
  'too-fast': true,
  'try-again': true,
  'store-failed': true,
  internal: true,
};

/** The ends that occur in a server without defects. */
const USUAL_CLOSES: readonly (readonly [code: string, cause: CloseCause])[] = [
  ['1000', 'client'],
  ['1001', 'client'],
  ['1005', 'client'],
  ['1006', 'lost'],
  ['1006', 'heart_beat'],
  ['1002', 'heart_beat'],
  ['1008', 'slow_consumer'],
  ['1002', 'too_large'],
  ['1002', 'token'],
  ['1002', 'limit'],
  ['1008', 'limit'],
  ['1012', 'drain'],
  ['1002', 'protocol'],
  ['1002', 'refused'],
  ['1002', 'internal'],
];

export function zeroCounts(): Counts {
  const counts = emptyCounts();
  counts.connects.start('ok');
  for (const code of Object.keys(REFUSAL_CODES)) {
    for (const byCode of [counts.refused, counts.errors, counts.connects]) byCode.start(code);
  }
  for (const [code, cause] of USUAL_CLOSES) counts.closes.start(code, cause);
  return counts;
}

function emptyCounts(): Counts {
  return {
    subscriptions: 0,
    delivered: 0,
    spared: 0,
    unheard: 0,
    received: zeros(RECEIVED_KINDS),
    sent: zeros(SENT_KINDS),
    refused: new LabelledCounts('code'),
    errors: new LabelledCounts('code'),
    connects: new LabelledCounts('result'),
    closes: new LabelledCounts('code', 'reason'),
    receipts: new Distribution(SECONDS),
  };
}

function zeros<Kind extends string>(kinds: readonly Kind[]): Record<Kind, number> {
  return Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>;
}

/** The kind under which the frames of an event are counted. */
export function sentKind(event: ChatEvent): SentKind {
  switch (event.kind) {
    case 'message':
    case 'reply':
    case 'file':
    case 'modify':
    case 'delete':
    case 'foreign':
    case 'typing':
      return event.kind;
    case 'connect':
    case 'disconnect':
      return 'presence';
    case 'voice':
    case 'voice-left':
    case 'call-left':
      return 'voice';
    case 'unknown':
    case 'members-changed':
    case 'read':
    case 'roster':
    case 'moderation-changed':
    case 'question':
    case 'answer':
      return 'notice';
  }
}

/** The cause of a connection that ends with an ERROR. */
export function causeOfRefusal(code: RefusalCode): CloseCause {
  switch (code) {
    case 'no-token':
    case 'bad-token':
      return 'token';
    case 'too-large':
      return 'too_large';
    case 'too-fast':
      return 'limit';
    case 'bad-input':
      return 'protocol';
    case 'not-permitted':
    case 'message-not-found':
    case 'not-the-author':
    case 'try-again':
    case 'store-failed':
      return 'refused';
    case 'internal':
      return 'internal';
  }
}
