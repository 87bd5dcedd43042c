import { expect, it } from 'vitest';
import type { UploadDetails, UploadSink } from '../../../../../src/application/application.ts';
import type { AppendOutcome } from '../../../../../src/application/ports/message-store.ts';
import { Refusal, type RefusalCode } from '../../../../../src/domain/errors.ts';
import {
  embeddedApplication,
  type KeptFiles,
  temporaryFiles,
  tokenOf,
} from '../../../../support/embedded-application.ts';

const DETAILS: UploadDetails = {
  place: 'r-5',
  communityId: null,
  fileType: 'file',
  width: null,
  height: null,
  name: null,
  profileImage: null,
  nonce: null,
};

async function* bytes(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

/** An upload whose file and thumbnail come after the place. */
function upload(details: Partial<UploadDetails> = {}) {
  const whole = { ...DETAILS, ...details };
  return {
    async receive(sink: UploadSink): Promise<UploadDetails> {
      await sink.admit(whole.place, whole.communityId);
      await sink.store('file', bytes('one'), 'a.txt');
      await sink.store('thumbnail', bytes('two'), null);
      return whole;
    },
  };
}

async function start(files: KeptFiles, append?: () => Promise<AppendOutcome[]>) {
  const limits = { uploadBytes: 10, uploadsPerMinute: 3 };
  const { app, store } = await embeddedApplication({ files: files.store, limits, ...(append && { append }) });
  const caller = app.authenticate(tokenOf(1), null);
  const send = async (sent: Parameters<typeof app.uploadFile>[1], who = caller) =>
    (await app.uploadFile(who, sent)).result;
  return { app, store, caller, send };
}

const refusal = (code: RefusalCode) => expect.objectContaining({ code });

it('stores the bytes of an upload and an event that shows them', async () => {
  const files = await temporaryFiles();
  const { send, store } = await start(files);
  const { seq, content } = await send(upload());
  const [event] = await store.eventsAfter('r-5', 0, 10);
  expect(event).toMatchObject({ kind: 'file', seq, content, fileType: 'file', name: 'Ada', userId: 1 });
  expect(await files.kept()).toHaveLength(4);
  expect(await files.kept()).toContain(content);
});

it('shows the name and the size of a file, and the dimensions of images and videos', async () => {
  const files = await temporaryFiles();
  const { send, store } = await start(files);
  const size = { width: 640, height: 480 };
  for (const fileType of ['image', 'video', 'file'] as const) await send(upload({ fileType, ...size }));
  const named = { fileName: 'a.txt', fileSize: 3 };
  expect(await store.eventsAfter('r-5', 0, 10)).toMatchObject([
    { fileType: 'image', ...named, ...size },
    { fileType: 'video', ...named, ...size },
    { fileType: 'file', ...named, width: null, height: null },
  ]);
});

it('shows the name of a file as it is saved, and none where nothing visible is left of it', async () => {
  const files = await temporaryFiles();
  const { send, store } = await start(files);
  for (const fileName of ['dir/\u202egpj.exe', '...']) {
    const receive = async (sink: UploadSink): Promise<UploadDetails> => {
      await sink.store('file', bytes('one', 'two'), fileName);
      return DETAILS;
    };
    await send({ receive });
  }
  expect(await store.eventsAfter('r-5', 0, 10)).toMatchObject([
    { fileName: 'gpj.exe', fileSize: 6 },
    { fileName: null, fileSize: 6 },
  ]);
});

it('reads no byte of an upload to a place in which the caller is not a member', async () => {
  const files = await temporaryFiles();
  const { send } = await start(files);
  let read = false;
  const watched = async function* () {
    read = true;
    yield Buffer.from('x');
  };
  const receive = async (sink: UploadSink) => {
    const admission = sink.admit('r-7', null);
    const storing = sink.store('file', watched(), null);
    await Promise.allSettled([admission, storing]);
    await storing;
    return DETAILS;
  };
  await expect(send({ receive })).rejects.toEqual(refusal('not-permitted'));
  expect(read).toBe(false);
});

it('checks the place and the rate of an upload whose form names no place before its file', async () => {
  const files = await temporaryFiles();
  const { send } = await start(files);
  const late = (place: 'r-5' | 'r-7') => ({
    async receive(sink: UploadSink) {
      await sink.store('file', bytes('one'), null);
      return { ...DETAILS, place };
    },
  });
  await expect(send(late('r-7'))).rejects.toEqual(refusal('not-permitted'));
  expect(await files.kept()).toEqual([]);
  await send(late('r-5'));
  await send(late('r-5'));
  await expect(send(late('r-5'))).rejects.toEqual(refusal('too-fast'));
});

it('keeps nothing of an upload that breaks off', async () => {
  const files = await temporaryFiles();
  const { send, store } = await start(files);
  const receive = async (sink: UploadSink): Promise<UploadDetails> => {
    await sink.store('file', bytes('one'), null);
    expect(await files.kept()).toHaveLength(2);
    throw new Refusal('bad-input', 'the body ended early');
  };
  await expect(send({ receive })).rejects.toEqual(refusal('bad-input'));
  expect(await files.kept()).toEqual([]);
  expect(await store.newest(['r-5'])).toEqual(new Map([['r-5', 0]]));
});

it('keeps nothing of an upload without the file itself', async () => {
  const files = await temporaryFiles();
  const { send } = await start(files);
  const receive = async (sink: UploadSink) => {
    await sink.store('thumbnail', bytes('one'), null);
    return DETAILS;
  };
  await expect(send({ receive })).rejects.toEqual(refusal('bad-input'));
  expect(await files.kept()).toEqual([]);
});

it('keeps nothing of a file that is larger than the limit', async () => {
  const files = await temporaryFiles();
  const { send } = await start(files);
  const receive = async (sink: UploadSink) => {
    await sink.store('file', bytes('12345', '123456'), null);
    return DETAILS;
  };
  await expect(send({ receive })).rejects.toEqual(refusal('too-large'));
  expect(await files.kept()).toEqual([]);
});

it('answers a repeated nonce with the first upload and keeps the files of the first only', async () => {
  const files = await temporaryFiles();
  const { send } = await start(files);
  const first = await send(upload({ nonce: 'n1' }));
  const kept = (await files.kept()).sort();
  expect(await send(upload({ nonce: 'n1' }))).toEqual(first);
  expect((await files.kept()).sort()).toEqual(kept);
});

it('removes the files when the event is refused for certain', async () => {
  const files = await temporaryFiles();
  const { app, caller, send } = await start(files);
  const message = { roomId: 5, name: null, profileImage: null, content: 'text', nonce: 'n1' };
  await (await app.sendDirectMessage(caller, message)).result;
  await expect(send(upload({ nonce: 'n1' }))).rejects.toEqual(refusal('bad-input'));
  expect(await files.kept()).toEqual([]);
});

it('removes the files when the upload is refused before its event is proposed', async () => {
  const files = await temporaryFiles();
  const { send } = await start(files);
  await expect(send(upload({ nonce: 'n'.repeat(65) }))).rejects.toEqual(refusal('bad-input'));
  expect(await files.kept()).toEqual([]);
});

it.each<[RefusalCode, Error]>([
  ['try-again', new Error('no answer')],
  ['try-again', new Refusal('try-again', 'the database does not answer')],
  ['store-failed', new Refusal('store-failed', 'the database refused')],
  ['internal', new Refusal('internal', 'a defect')],
])('keeps the files when an append ends with %s, because the event may be stored', async (code, error) => {
  const files = await temporaryFiles();
  const { send } = await start(files, async () => [{ kind: 'failed', error }]);
  await expect(send(upload())).rejects.toEqual(refusal(code));
  expect(await files.kept()).toHaveLength(4);
});
