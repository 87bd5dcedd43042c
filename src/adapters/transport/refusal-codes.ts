import type { RefusalCode } from '../../domain/errors.ts';

/** The number of a refusal on the wire: `code` of the HTTP answers and of the STOMP refusals. */
export function refusalNumber(code: RefusalCode): number {
  switch (code) {
    case 'bad-input':
      return 2100;
    case 'no-token':
      return 2101;
    case 'bad-token':
      return 2102;
    case 'not-permitted':
      return 2103;
    case 'message-not-found':
      return 4111;
    case 'not-the-author':
      return 2112;
    case 'too-large':
      return 2413;
    case 'too-fast':
      return 2429;
    case 'try-again':
      return 2503;
    case 'store-failed':
      return 2300;
    case 'internal':
      return 2301;
  }
}
