import { connect, IndexedDbStorage } from 'chat-server-client';

const parameters = new URLSearchParams(location.search);
const server = parameters.get('server') ?? 'http://127.0.0.1:8080';
const userId = Number(parameters.get('user') ?? 1);
const find = (id) => document.getElementById(id);

/** Asks the demo for a token. An application asks its own service. */
async function token() {
  const answer = await fetch(`${server}/demo/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId }),
  });
  return (await answer.json()).token;
}

const chat = connect({
  url: server,
  token,
  user: { name: `user ${userId}` },
  storage: new IndexedDbStorage(`browser-page-${userId}`),
});
const room = chat.room(5);

room.subscribe(() => {
  const { entries, typing } = room.getSnapshot();
  find('messages').replaceChildren(...entries.map(itemOf));
  find('typing').textContent = typing.length > 0 ? `${typing.join(', ')} typing` : '';
});
chat.state.subscribe(() => {
  find('state').textContent = chat.state.getSnapshot().kind;
});

function itemOf({ name, text, file, state, error }) {
  const item = document.createElement('li');
  item.className = state;
  item.textContent = `${name}: ${text || file?.name}${error === null ? '' : ` (${error.message})`}`;
  return item;
}

find('text').addEventListener('input', () => room.typing());
find('form').addEventListener('submit', (event) => {
  event.preventDefault();
  room.send(find('text').value).catch(() => {}); // a failed message shows its error in the list
  find('form').reset();
});
