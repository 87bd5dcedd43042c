import { connect, IndexedDbStorage } from 'chat-server-client';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Page } from './page.tsx';
import { ChatContext } from './use-place.ts';

const parameters = new URLSearchParams(location.search);
const server = parameters.get('server') ?? 'http://127.0.0.1:8080';
const userId = Number(parameters.get('user') ?? 1);

/** Asks the demo for a token. An application asks its own service. */
async function token(): Promise<string> {
  const answer = await fetch(`${server}/demo/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId }),
  });
  const { token } = (await answer.json()) as { token: string };
  return token;
}

const chat = connect({
  url: server,
  token,
  user: { name: `user ${userId}` },
  storage: new IndexedDbStorage(`react-page-${userId}`),
});

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no element with the id "root"');
createRoot(root).render(
  <StrictMode>
    <ChatContext value={chat}>
      <Page />
    </ChatContext>
  </StrictMode>,
);
