import { type Chat, connect } from 'chat-server-client';
import { onTestFinished } from 'vitest';
import type { ServerProcess } from '../../../dev/server-process.ts';

/** A user without a browser, until the test is over. */
export function friend(server: ServerProcess, userId: number, name: string): Chat {
  const chat = connect({ url: server.url, token: () => tokenOf(server, userId), user: { name } });
  onTestFinished(() => chat.close());
  return chat;
}

export async function tokenOf(server: ServerProcess, userId: number): Promise<string> {
  const answer = await fetch(`${server.url}/demo/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId }),
  });
  return ((await answer.json()) as { token: string }).token;
}
