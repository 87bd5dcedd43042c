import { connect, type Entry, Refused } from 'chat-server-client';
import { answerTo } from './answers.ts';
import { Bookmark } from './bookmark.ts';
import { makeToken } from './token.ts';

const { CHAT_URL = 'http://127.0.0.1:8080', BOT_USER = '2', BOT_ROOM = '5', BOT_FILE = 'bot.txt' } = process.env;
const secret = process.env.JWT_SECRET;
if (secret === undefined) throw new Error('JWT_SECRET is missing: the bot signs its own token with it');

const userId = Number(BOT_USER);
const bookmark = new Bookmark(BOT_FILE);
const chat = connect({
  url: CHAT_URL,
  token: async () => makeToken(userId, 'bot', secret),
  user: { name: 'Bot' },
});
const room = chat.room(Number(BOT_ROOM));

/** Messages are handled one after the other, in their order. */
let work = Promise.resolve();
room.onEvent((event) => {
  if (event.type === 'ready' || event.type === 'discontinuity') work = work.then(catchUp).catch(giveUp);
  if (event.type === 'created') work = work.then(() => handle(event.entry)).catch(giveUp);
});

/** Handles the messages that came while the bot was away. The first start begins at the end. */
async function catchUp(): Promise<void> {
  const last = bookmark.seq;
  if (last === null) {
    bookmark.moveTo(room.getSnapshot().newest ?? 0);
    return;
  }
  const oldest = () => room.getSnapshot().entries[0]?.seq ?? 0;
  while (room.getSnapshot().hasOlder && oldest() > last + 1) await room.loadOlder();
  for (const entry of room.getSnapshot().entries) await handle(entry);
}

/**
 * Answers a message. The nonce is made from the message. So if the bot dies after the answer and
 * before the bookmark, its next run sends the same nonce, and the server stores nothing twice.
 */
async function handle(entry: Entry): Promise<void> {
  if (entry.seq === null || entry.seq <= (bookmark.seq ?? 0)) return;
  const answer = entry.userId === userId ? null : answerTo(entry.text);
  if (answer !== null) {
    await room.reply(entry, answer, { nonce: `bot-${entry.id}` }).catch(ignoreRefusal);
    process.stdout.write(`${entry.seq} ${entry.text} -> ${answer}\n`);
  }
  bookmark.moveTo(entry.seq);
}

/** A refusal is final, for example because the message was deleted meanwhile. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof Refused)) throw error;
}

function giveUp(error: Error): never {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
}
