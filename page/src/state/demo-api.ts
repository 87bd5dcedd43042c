import { Unanswered } from 'chat-server-client';

export interface WorldUser {
  readonly id: number;
  readonly name: string;
  readonly image: string | null;
}

/** The users and places of the demo. All lists are empty where the server does not know them. */
export interface World {
  readonly users: readonly WorldUser[];
  readonly rooms: readonly { readonly id: number; readonly members: readonly number[] }[];
  readonly communities: readonly {
    readonly id: number;
    readonly name: string | null;
    readonly members: readonly number[];
    readonly channels: readonly {
      readonly id: number;
      readonly name: string | null;
      readonly members: readonly number[] | null;
    }[];
  }[];
}

const CALL_MS = 8_000;
/** The folder of the page: the server may be below a path of a proxy. */
const BASE = new URL('.', document.baseURI).href;

/** Asks for the users and places of the demo. @throws Error */
export async function fetchWorld(): Promise<World> {
  return (await call('demo/world')) as World;
}

/** Asks for a token of a demo user. @throws Error */
export async function fetchToken(userId: number): Promise<string> {
  const { token } = (await call('demo/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId }),
  })) as { token: string };
  return token;
}

/** The server's address, without a slash at its end. */
export const SERVER_URL = BASE.replace(/\/$/, '');

async function call(path: string, init: RequestInit = {}): Promise<unknown> {
  const answer = await fetch(BASE + path, { ...init, signal: AbortSignal.timeout(CALL_MS) });
  const body: unknown = await answer.json();
  if (!answer.ok) throw new Unanswered(String((body as { message?: unknown }).message ?? answer.status));
  return body;
}
