import type { Refusal } from '../../domain/errors.ts';
import { refusalNumber } from '../transport/refusal-codes.ts';
import { UnknownVersion } from './connect-headers.ts';
import { CONTENT_TYPE, encodeFrame } from './encoder.ts';
import { OFFERED_BEATS } from './heart-beats.ts';
import { type StompVersion, SUPPORTED_VERSIONS } from './version.ts';

/**
 * The numbers in a RECEIPT. The RECEIPT of a SEND that stored an event has both, that of a
 * SUBSCRIBE has only `seq`.
 */
export interface ReceiptNumbers {
  readonly seq: number;
  readonly id?: string;
}

/** CONNECTED has no other headers: known clients were written against exactly these two. */
export function connectedFrame(version: StompVersion): string {
  return encodeFrame(version, 'CONNECTED', [
    ['version', version],
    ['heart-beat', OFFERED_BEATS],
  ]);
}

export function receiptFrame(version: StompVersion, receipt: string, numbers: ReceiptNumbers | null): string {
  return encodeFrame(version, 'RECEIPT', [
    ['receipt-id', receipt],
    ['seq', numbers?.seq ?? null],
    ['message-id', numbers?.id ?? null],
  ]);
}

/** @param receipt the `receipt` header of the frame at fault, or null */
export function errorFrame(version: StompVersion, refusal: Refusal, receipt: string | null): string {
  return encodeFrame(
    version,
    'ERROR',
    [
      ['message', refusal.message],
      ['code', refusalNumber(refusal.code)],
      ['content-type', CONTENT_TYPE],
      ['receipt-id', receipt],
      ['retry-after-ms', refusal.retryAfterMs],
      ['version', refusal instanceof UnknownVersion ? SUPPORTED_VERSIONS : null],
    ],
    refusalBody(refusal, null, null),
  );
}

/**
 * `{"code":2429,"message":"...","receipt-id":"...","subscription":"...","retry-after-ms":90}`.
 * Those of the last three that do not apply are left out.
 */
export function refusalBody(refusal: Refusal, receipt: string | null, subscription: string | null): string {
  return JSON.stringify({
    code: refusalNumber(refusal.code),
    message: refusal.message,
    'receipt-id': receipt ?? undefined,
    subscription: subscription ?? undefined,
    'retry-after-ms': refusal.retryAfterMs ?? undefined,
  });
}
