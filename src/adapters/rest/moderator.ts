import { z } from 'zod';
import type { ModeratedText, Moderator, Verdict } from '../../application/ports/moderator.ts';
import type { RestService } from './rest-service.ts';

/** Milliseconds in which the moderator must answer. The author waits for it. */
export const MODERATOR_TIMEOUT_MS = 300;

/** The answers that the server accepts from a moderator. */
export const VERDICT = z.union([
  z.object({ content: z.string() }),
  z.object({ allow: z.literal(true) }),
  z.object({ allow: z.literal(false), message: z.string().nullish() }),
]);

/**
 * Asks the moderator of the application: `POST {url}/check`. It answers `{"allow":true}`,
 * `{"allow":false,"message":"..."}`, or `{"content":"..."}` with the text to store instead.
 */
export class RestModerator implements Moderator {
  readonly #service: RestService;

  constructor(service: RestService) {
    this.#service = service;
  }

  async check({ userId, place, kind, content }: ModeratedText): Promise<Verdict> {
    const body = { userId, place, kind, content };
    const { status, json } = await this.#service.call({ method: 'POST', path: '/check', body, isRepeatable: true });
    const read = status === 200 ? VERDICT.safeParse(json) : null;
    if (read?.data === undefined) throw this.#service.unusableAnswer();
    const verdict = read.data;
    if ('content' in verdict) return { kind: 'replace', content: verdict.content };
    return verdict.allow ? { kind: 'allow' } : { kind: 'refuse', message: verdict.message ?? null };
  }
}
