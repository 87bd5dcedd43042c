import { Unanswered } from './errors.ts';
import { within } from './timing.ts';

const TOKEN_MS = 15_000;
/**
 * A token is renewed this long before its end, or after 80 % of its remaining life if that is
 * later.
 */
const RENEW_MS = 60_000;

interface Held {
  readonly token: string;
  /** Milliseconds of `Date.now()`; Infinity where the token does not say. */
  readonly renewAt: number;
}

/** Keeps the application's token and asks for a fresh one in time. */
export class Tokens {
  readonly #provide: () => Promise<string>;
  #held: Held | null = null;
  #asking: Promise<string> | null = null;
  /** The user of the last token; null before the first one. */
  userId: number | null = null;

  constructor(provide: () => Promise<string>) {
    this.#provide = provide;
  }

  /** The current token, or a fresh one where it ends soon. @throws the error of the application */
  async get(): Promise<string> {
    return this.#held !== null && Date.now() < this.#held.renewAt ? this.#held.token : this.fresh();
  }

  /** Asks the application for a token. Calls that come meanwhile get the same one. */
  fresh(): Promise<string> {
    this.#asking ??= within(TOKEN_MS, Promise.resolve().then(this.#provide), 'the token')
      .then((token) => this.#keep(token))
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }

  /** Forgets a token that the server refused. */
  forget(): void {
    this.#held = null;
  }

  /** Milliseconds until the token should be renewed; 0 or less where it should be now. */
  get renewInMs(): number {
    return (this.#held?.renewAt ?? 0) - Date.now();
  }

  #keep(token: string): string {
    if (typeof token !== 'string' || token === '') throw new Unanswered('the token function gave no token');
    const { id, iat, exp } = claimsOf(token);
    if (typeof id === 'number') this.userId = id;
    const now = Date.now();
    const life = (Number(exp) - Number(iat)) * 1_000;
    const left = Number(exp) * 1_000 - now;
    // A clock that is wrong shows a remaining time that no token has. The whole life is assumed
    // then.
    const rest = left > 0 && left <= life ? left : life;
    const renewAt = rest > 0 ? now + rest - Math.min(RENEW_MS, rest / 5) : Number.POSITIVE_INFINITY;
    this.#held = { token, renewAt };
    return token;
  }
}

/** The claims of a JWT; none where the token is of another kind. */
function claimsOf(token: string): { readonly id?: unknown; readonly iat?: unknown; readonly exp?: unknown } {
  try {
    return JSON.parse(atob((token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/')));
  } catch {
    return {};
  }
}
