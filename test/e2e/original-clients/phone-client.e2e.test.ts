import { expect, it, onTestFinished } from 'vitest';
import { png } from '../../support/png.ts';
import { PhoneApp } from './phone-app.ts';
import type { Part } from './screen.ts';
import { imageOf, nameOf, onBothSystems, type Stage } from './stage.ts';

const PICTURE: Part = ['image', png(40, 30), { name: 'cat.png', type: 'image/png' }];

async function open(stage: Stage, userId: number): Promise<PhoneApp> {
  const phone = await PhoneApp.open(stage, userId);
  onTestFinished(() => {
    phone.close();
    expect(phone.failures).toEqual([]);
  });
  return phone;
}

/** What the app writes for the id of a room in edits and typing notices. */
const optional = (id: number) => `Optional(${id})`;

await onBothSystems('the original phone app', (stage) => {
  it('connects with the origin of the server, without host, heart-beats and sub-protocol', async () => {
    const { ada } = stage().scene();
    const phone = await open(stage(), ada);
    expect(phone.connected).toEqual({ version: '1.2', 'heart-beat': expect.stringMatching(/^\d+,\d+$/) });
  });

  it('sends, replies, edits with Optional(5), types with Optional(5) and deletes in a room', async () => {
    const { ada, bob, room } = stage().scene();
    const [adas, bobs] = [await open(stage(), ada), await open(stage(), bob)];
    const destination = `/topic/direct/${room}`;
    const [atAda, atBob] = [await adas.show(destination), await bobs.show(destination)];

    adas.send('send-direct-message', adas.author({ channelId: room, content: 'hello' }));
    await atBob.until(({ texts }) => texts.includes('hello'));
    const id = atBob.messages[0]?.id;
    expect(atBob.bodies.at(-1)).toMatchObject({
      type: 'message',
      userId: String(ada),
      name: nameOf(ada),
      profileImage: imageOf(ada),
    });
    const parent = { parentId: id, parentName: nameOf(ada), parentContent: 'hello' };
    bobs.send('send-direct-reply', bobs.author({ channelId: room, ...parent, content: 'hi', type: 'reply' }));
    await atAda.until(({ texts }) => texts.includes('hi'));
    expect(atAda.messages.at(-1)).toMatchObject({ parentName: nameOf(ada), parentContent: 'hello' });

    const edit = { id, content: 'hello, Bob', userId: ada, channelId: optional(room), type: 'modify' };
    adas.send('send-direct-modify', edit);
    await atBob.until(({ texts }) => texts.includes('hello, Bob'));
    const typed = atAda.typists.length;
    bobs.type('direct', optional(room));
    await atAda.until(({ typists }) => typists.length > typed);
    expect(atAda.typists.at(-1)).toBe(nameOf(bob));
    adas.send('send-direct-delete', { id, userId: ada, channelId: room, type: 'delete' });
    await atBob.until(({ texts }) => texts.join() === 'hi');
  });

  it('sends, replies, edits, types and deletes in a channel', async () => {
    const { ada, bob, community, channel } = stage().scene();
    const [adas, bobs] = [await open(stage(), ada), await open(stage(), bob)];
    const [atAda, atBob] = [await adas.show(`/topic/group/${channel}`), await bobs.show(`/topic/group/${channel}`)];
    const place = { communityId: community, channelId: channel };
    adas.send('send-channel-message', adas.author({ ...place, content: 'hello' }));
    await atBob.until(({ texts }) => texts.includes('hello'));
    const id = atBob.messages[0]?.id;
    const parent = { parentId: id, parentName: nameOf(ada), parentContent: 'hello' };
    bobs.send('send-channel-reply', bobs.author({ ...place, ...parent, content: 'hi', type: 'reply' }));
    await atAda.until(({ texts }) => texts.includes('hi'));
    const target = { id, userId: ada, channelId: optional(channel) };
    adas.send('send-channel-modify', { ...target, content: 'edited', type: 'modify' });
    await atBob.until(({ texts }) => texts.join() === 'edited,hi');
    const typed = atAda.typists.length;
    bobs.type('channel', optional(channel));
    await atAda.until(({ typists }) => typists.length > typed);
    adas.send('send-channel-delete', { ...target, type: 'delete' });
    await atBob.until(({ texts }) => texts.join() === 'hi');
  });

  it('goes from community A to B and back to A with the same subscription ids', async () => {
    const { ada, bob, ...places } = stage().scene();
    const [adas, bobs] = [await open(stage(), ada), await open(stage(), bob)];
    const visit = async (community: number, channel: number, content: string) => {
      await adas.show(`/topic/community/${community}`);
      const screen = await adas.show(`/topic/group/${channel}`);
      bobs.send('send-channel-message', bobs.author({ communityId: community, channelId: channel, content }));
      await screen.until(({ texts }) => texts.at(-1) === content);
      return screen;
    };
    await visit(places.community, places.channel, 'one');
    await visit(places.otherCommunity, places.otherChannel, 'two');
    const screen = await visit(places.community, places.channel, 'three');
    // A second subscription would give each message twice.
    expect(screen.texts).toEqual(['one', 'three']);
  });

  it('uploads a picture to a room and to a channel by the path of channels, without a thumbnail', async () => {
    const { ada, bob, room, community, channel } = stage().scene();
    const [adas, bobs] = [await open(stage(), ada), await open(stage(), bob)];
    const direct = await bobs.show(`/topic/direct/${room}`);
    const group = await bobs.show(`/topic/group/${channel}`);
    const toRoom = adas.author({ channelId: room, type: 'direct', fileType: 'image' });
    expect(await adas.upload(PICTURE, toRoom)).toMatchObject({
      isSuccess: true,
      result: { message: expect.any(String) },
    });
    const toChannel = adas.author({ communityId: community, channelId: channel, type: 'community', fileType: 'image' });
    expect(await adas.upload(PICTURE, toChannel)).toMatchObject({ isSuccess: true });
    const movie: Part = ['image', Buffer.from('a movie'), { name: 'a.mov', type: 'video/quicktime' }];
    expect(await adas.upload(movie, { ...toRoom, fileType: 'video' })).toMatchObject({ isSuccess: true });
    await direct.until(({ messages }) => messages.length === 2);
    await group.until(({ messages }) => messages.length === 1);
    expect(direct.bodies.at(-2)).toMatchObject({ type: 'direct', fileType: 'image', channelId: room });
    expect(group.bodies.at(-1)).toMatchObject({ type: 'community', fileType: 'image', channelId: channel });
    for (const { message, thumbnail, fileType } of [...direct.messages, ...group.messages]) {
      expect((await fetch(message)).status).toBe(200);
      if (fileType === 'image') expect(thumbnail).toBe(message);
    }
    const { entries } = await bobs.history('direct', room, 0);
    expect(entries.map(({ fileType }) => fileType)).toEqual(['image', 'video']);
  });

  it('reads the history in pages of 20 with a token, and is refused in the usual form without', async () => {
    const { ada, bob, room } = stage().scene();
    const [adas, bobs] = [await open(stage(), ada), await open(stage(), bob)];
    const screen = await bobs.show(`/topic/direct/${room}`);
    const sent = Array.from({ length: 45 }, (_, index) => `message ${index}`);
    for (const content of sent) adas.send('send-direct-message', adas.author({ channelId: room, content }));
    await screen.until(({ messages }) => messages.length === sent.length);
    const read: string[] = [];
    for (let page = 0; page < 4; page += 1) {
      const { entries } = await bobs.history('direct', room, page);
      expect(entries).toHaveLength([20, 20, 5, 0][page] ?? 0);
      read.unshift(...entries.map(({ message }) => message));
    }
    expect(read).toEqual(sent);
    expect(await bobs.history('direct', room, 0, false)).toEqual({ code: 2101, entries: [] });
  });

  it('gets refusals of uploads in the form that it decodes', async () => {
    const { ada, room } = stage().scene();
    const adas = await open(stage(), ada);
    const fields = adas.author({ channelId: room, type: 'direct', fileType: 'image' });
    expect(await adas.upload(PICTURE, { ...fields, channelId: 999_999 })).toMatchObject({ code: 2103 });
    expect(await adas.upload(PICTURE, { ...fields, fileType: 'hologram' })).toMatchObject({ code: 2100 });
    expect(await adas.upload(['other', 'x'], fields)).toMatchObject({ code: 2100 });
  });

  it('ignores presence, voice and calls, and never gets a type on which it crashes', async () => {
    const { ada, bob, room, community, channel, voice } = stage().scene();
    const bobs = await open(stage(), bob);
    const direct = await bobs.show(`/topic/direct/${room}`);
    const people = await bobs.show(`/topic/community/${community}`);
    const group = await bobs.show(`/topic/group/${channel}`);
    const adas = await open(stage(), ada);
    await people.until(({ bodies }) => bodies.some(({ type }) => type === 'connect'));
    const inVoice = { user_id: ada, community_id: community, channel_id: `c-${voice}` };
    adas.send('signaling', { type: 'enter', ...inVoice });
    await people.until((screen) => screen.voice?.[voice]?.includes(String(ada)) === true);
    for (const type of ['out', 'in']) {
      const call = { type, channelId: String(room), ids: [String(ada)] };
      await stage().serviceCall('POST', 'signaling-list-direct', call);
      await direct.until(({ bodies }) => bodies.some((body) => body.type === type));
    }
    // A refused message, and the loss of both places: the app hears nothing of them.
    bobs.send('send-direct-message', bobs.author({ channelId: room, content: 'x'.repeat(8_001) }));
    const atAda = await adas.show(`/topic/direct/${room}`);
    await stage().serviceCall('PUT', `community-user-list/${community}`, [ada]);
    await stage().serviceCall('PUT', `room-user-list/${room}`, [ada]);
    await expect.poll(async () => (await bobs.history('direct', room, 0)).code, { timeout: 5_000 }).toBe(2103);
    adas.send('send-direct-message', adas.author({ channelId: room, content: 'without Bob' }));
    await atAda.until(({ texts }) => texts.at(-1) === 'without Bob');
    const types = [direct, people, group].flatMap(({ bodies }) => bodies.map(({ type }) => type));
    for (const type of types) expect([undefined, 'connect', 'typing', 'out', 'in']).toContain(type);
    expect(direct.texts).toEqual([]);
  });
});
