import { expect, it, vi } from 'vitest';
import type { Caller } from '../../../../../src/application/commands.ts';
import type { FileStore } from '../../../../../src/application/ports/file-store.ts';
import { Refusal } from '../../../../../src/domain/errors.ts';
import { NO_FILE_FACTS } from '../../../../../src/domain/file.ts';
import { completed, startApplication, type TestServerOptions } from '../../../../support/application.ts';
import { smallUpload } from '../../../../support/small-upload.ts';

const TEXT = { name: null, profileImage: null, nonce: null };

async function start(options: TestServerOptions = {}) {
  const server = await startApplication(options);
  const { app, world, ports } = server;
  const { roomId } = world;
  const { id } = await completed(() => app.sendDirectMessage(world.ada, { roomId, content: 'secret', ...TEXT }));
  const remove = (caller: Caller, place = world.room, which = id) =>
    completed(() => app.deleteMessage(caller, { place, id: which, communityId: null, nonce: null }));
  const exists = async () => (await ports.store.messages(world.room, [id])).has(id);
  return { ...server, id, remove, exists };
}

it('deletes a message of the caller and delivers the deletion', async () => {
  const { world, subscribe, remove, exists, id } = await start();
  const grace = await subscribe(world.grace, world.room);
  expect(await remove(world.ada)).toEqual({ seq: 2, id });
  expect(await exists()).toBe(false);
  expect(await grace.hears(1)).toMatchObject([{ kind: 'delete', seq: 2, id }]);
});

it('leaves nothing of the deleted text in the log of the place', async () => {
  const { world, ports, remove } = await start();
  await remove(world.ada);
  expect(JSON.stringify(await ports.store.eventsAfter(world.room, 0, 10))).not.toContain('secret');
});

it('refuses a deletion by somebody who is not the author', async () => {
  const { world, remove, exists } = await start();
  await expect(remove(world.grace)).rejects.toMatchObject({ code: 'not-the-author' });
  expect(await exists()).toBe(true);
});

it('refuses a deletion by somebody who is not a member, even if the message does not exist', async () => {
  const { world, remove } = await start();
  await expect(remove(world.linus, world.room, '0000000000000000000000ff')).rejects.toMatchObject({
    code: 'not-permitted',
  });
});

it('refuses a deletion that names another place than that of the message', async () => {
  const { world, remove, exists } = await start();
  await expect(remove(world.ada, world.otherRoom)).rejects.toMatchObject({ code: 'message-not-found' });
  expect(await exists()).toBe(true);
});

it('refuses to delete a message twice', async () => {
  const { world, remove } = await start();
  await remove(world.ada);
  await expect(remove(world.ada)).rejects.toMatchObject({ code: 'message-not-found' });
});

it('removes the bytes of a deleted file and of its thumbnail from the file store', async () => {
  const { world, app, ports, subscribe, remove } = await start();
  const grace = await subscribe(world.grace, world.room);
  const { id, content } = await completed(() => app.uploadFile(world.ada, smallUpload({ place: world.room }, true)));
  const [shared] = await grace.hears(1);
  const thumbnail = shared?.kind === 'file' ? (shared.thumbnail ?? '') : '';
  expect([await ports.files.get(content), await ports.files.get(thumbnail)]).not.toContain(null);
  await remove(world.ada, world.room, id);
  await vi.waitFor(async () => {
    expect([await ports.files.get(content), await ports.files.get(thumbnail)]).toEqual([null, null]);
  });
});

it('keeps the bytes of a file when its deletion is refused', async () => {
  const { world, app, ports, remove } = await start();
  const { id, content } = await completed(() => app.uploadFile(world.ada, smallUpload({ place: world.room })));
  await expect(remove(world.grace, world.room, id)).rejects.toMatchObject({ code: 'not-the-author' });
  expect(await ports.files.get(content)).not.toBeNull();
});

/** A file store that keeps nothing, records what is removed, and may be away. */
class EmptyFileStore implements FileStore {
  readonly removed: string[] = [];
  isAway = false;
  put = async () => ({ size: 0 });
  get = async () => null;
  async remove(key: string): Promise<void> {
    if (this.isAway) throw new Refusal('try-again', 'the file store does not answer');
    this.removed.push(key);
  }
}

it('does not touch the file store for a file of an original server, which has a whole URL', async () => {
  const files = new EmptyFileStore();
  const { world, ports, remove } = await start({ ports: { files } });
  const id = ports.ids.messageId();
  const common = { place: world.room, id, userId: world.ada.userId, time: 0, nonce: null, communityId: null };
  const file = { content: 'https://files.example/a.png', thumbnail: 'HTTP://files.example/t.png', ...NO_FILE_FACTS };
  const draft = { kind: 'file', ...common, name: 'Ada', profileImage: null, ...file, fileType: 'image' } as const;
  await ports.store.append([{ place: world.room, first: 2, drafts: [draft] }]);
  await remove(world.ada, world.room, id);
  expect(files.removed).toEqual([]);
});

it('deletes a file although the file store is away, and logs the key of the file that stays', async () => {
  const files = new EmptyFileStore();
  const { world, app, telemetry, remove } = await start({ ports: { files } });
  const { id, content } = await completed(() => app.uploadFile(world.ada, smallUpload({ place: world.room })));
  files.isAway = true;
  await remove(world.ada, world.room, id);
  await vi.waitFor(() => {
    expect(telemetry.logs).toContainEqual({
      level: 'warn',
      what: 'an unused file could not be removed',
      fields: { key: content, error: expect.objectContaining({ code: 'try-again' }) },
    });
  });
});
