import { expect, it } from 'vitest';
import type { ModeratedText, Verdict } from '../../../../src/application/ports/moderator.ts';
import { Refusal } from '../../../../src/domain/errors.ts';
import { completed, startApplication } from '../../../support/application.ts';

const TEXT = { name: null, profileImage: null, nonce: null };

/** A moderator that knows words of a test. */
function judge({ content }: ModeratedText): Verdict {
  if (content === 'bad') return { kind: 'refuse', message: 'mind your words' };
  if (content === 'worse') return { kind: 'refuse', message: null };
  if (content === 'rude') return { kind: 'replace', content: 'r**e' };
  if (content === 'blank') return { kind: 'replace', content: ' ' };
  if (content === 'away') throw new Refusal('try-again', 'the moderator does not answer');
  return { kind: 'allow' };
}

async function start(whenAway: 'allow' | 'refuse' = 'allow') {
  const asked: ModeratedText[] = [];
  const moderator = {
    check: async (text: ModeratedText) => {
      asked.push(text);
      return judge(text);
    },
  };
  const server = await startApplication({ ports: { moderation: { moderator, whenAway } } });
  const { app, world, ports } = server;
  const send = (content: string) =>
    completed(() => app.sendDirectMessage(world.ada, { roomId: world.roomId, content, ...TEXT }));
  const stored = async (id: string) => (await ports.store.messages(world.room, [id])).get(id)?.content;
  return { ...server, asked, send, stored };
}

it('asks about messages, replies and edits, and about nothing else', async () => {
  const { app, world, asked, send } = await start();
  const { ada, roomId, room: place } = world;
  const { id } = await send('one');
  await completed(() => app.replyInRoom(ada, { roomId, parentId: id, content: 'two', ...TEXT }));
  const common = { place, communityId: null, id, nonce: null };
  await completed(() => app.modifyMessage(ada, { ...common, content: 'three' }));
  await completed(() => app.showTyping(ada, { place, communityId: null, name: 'x' }));
  await completed(() => app.deleteMessage(ada, common));
  const { userId } = ada;
  expect(asked).toEqual([
    { userId, place, kind: 'message', content: 'one' },
    { userId, place, kind: 'reply', content: 'two' },
    { userId, place, kind: 'edit', content: 'three' },
  ]);
});

it('refuses what the moderator refuses, with its words, and stores nothing', async () => {
  const { world, send, ports } = await start();
  await expect(send('bad')).rejects.toMatchObject({ code: 'not-permitted', message: 'mind your words' });
  await expect(send('worse')).rejects.toMatchObject({
    code: 'not-permitted',
    message: 'the moderator refused the message',
  });
  expect((await ports.store.newest([world.room])).get(world.room)).toBe(0);
});

it('stores the text that the moderator gives instead, of a message and of an edit', async () => {
  const { app, world, send, stored } = await start();
  const { id } = await send('rude');
  expect(await stored(id)).toBe('r**e');
  const edit = { place: world.room, communityId: null, id, nonce: null, content: 'fine' };
  await completed(() => app.modifyMessage(world.ada, edit));
  await completed(() => app.modifyMessage(world.ada, { ...edit, content: 'rude' }));
  expect(await stored(id)).toBe('r**e');
});

it.each(['away', 'blank'])(
  'lets a text pass without a usable verdict (%s) where that is configured',
  async (content) => {
    const { send, stored, telemetry } = await start('allow');
    const { id } = await send(content);
    expect(await stored(id)).toBe(content);
    expect(telemetry.counts.get('moderator_failures')).toBe(1);
  },
);

it.each(['away', 'blank'])('refuses a text without a usable verdict (%s) where that is configured', async (content) => {
  const { world, send, ports } = await start('refuse');
  await expect(send(content)).rejects.toMatchObject({ code: 'try-again' });
  expect((await ports.store.newest([world.room])).get(world.room)).toBe(0);
});

it('does not ask about texts that an administrator sends', async () => {
  const { app, world, asked, stored } = await start();
  const { ada, room: place } = world;
  const message = { place, userId: ada.userId, content: 'bad', communityId: null, parentId: null, nonce: null };
  const { id } = await app.service.sendMessage(message);
  expect(await stored(id)).toBe('bad');
  expect(asked).toEqual([]);
});
