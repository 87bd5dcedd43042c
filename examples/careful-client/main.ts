import { createInterface } from 'node:readline';
import { connect } from 'chat-server-client';

const [server = 'http://127.0.0.1:8080', userId = '1', roomId = '5'] = process.argv.slice(2);
const print = (text: string) => process.stdout.write(`${text}\n`);

async function token(): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ userId: Number(userId) });
  const answer = await fetch(`${server}/demo/token`, { method: 'POST', headers, body });
  return ((await answer.json()) as { token: string }).token;
}

const chat = connect({ url: server, token, user: { name: `user ${userId}` } });
const room = chat.room(Number(roomId));

chat.onPersonal(({ type, place }) => print(`${type} ${place}`));
room.onEvent((event) => {
  if (event.type === 'created') print(`${event.seq} ${event.entry.name}: ${event.entry.text || event.entry.file?.url}`);
  else if (event.type === 'edited') print(`${event.seq} edited: ${event.text}`);
  else if (event.type === 'deleted') print(`${event.seq} deleted`);
  else for (const { seq, name, text } of room.getSnapshot().entries) if (seq !== null) print(`${seq} ${name}: ${text}`);
});

createInterface({ input: process.stdin }).on('line', (text) => {
  room.send(text).catch((error: Error) => print(`not sent: ${error.message}`));
});
