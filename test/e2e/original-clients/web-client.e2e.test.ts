import { expect, it, onTestFinished } from 'vitest';
import { png } from '../../support/png.ts';
import { imageOf, nameOf, onBothSystems, type Stage } from './stage.ts';
import { WebPage } from './web-page.ts';

const PICTURE = ['image', png(40, 30), { name: 'cat.png', type: 'image/png' }] as const;

async function open(stage: Stage, userId: number, transports?: readonly string[]): Promise<WebPage> {
  const page = await WebPage.open(stage, userId, transports);
  onTestFinished(async () => {
    await page.close();
    expect(page.failures).toEqual([]);
  });
  return page;
}

await onBothSystems('the original web client', (stage) => {
  it.each([[undefined], [['websocket']], [['xhr-streaming']], [['xhr-polling']]])(
    'holds a conversation in a room over the SockJS transports %j',
    async (transports) => {
      const { ada, bob, room } = stage().scene();
      const [adaPage, bobPage] = [await open(stage(), ada, transports), await open(stage(), bob, transports)];
      const { screen: atAda } = await adaPage.show(`/topic/direct/${room}`);
      const { screen: atBob } = await bobPage.show(`/topic/direct/${room}`);
      const place = { channelId: String(room) };
      adaPage.send('join-channel', { type: 'state', user_id: String(ada), channel_id: `r-${room}` });
      bobPage.send('join-channel', { type: 'state', user_id: String(bob), channel_id: `r-${room}` });

      adaPage.send('send-direct-typing', { ...place, content: nameOf(ada), type: 'typing' });
      await atBob.until(({ typists }) => typists.includes(nameOf(ada)));
      adaPage.send('send-direct-message', adaPage.author({ ...place, content: 'hello' }));
      await atBob.until(({ texts }) => texts.includes('hello'));
      const [first] = atBob.messages;
      expect(first).toMatchObject({ userId: String(ada), name: nameOf(ada), profileImage: imageOf(ada) });

      const parent = { parentId: first?.id, parentName: nameOf(ada), parentContent: 'hello' };
      bobPage.send('send-direct-reply', bobPage.author({ ...place, ...parent, content: 'hi', type: 'reply' }));
      await atAda.until(({ texts }) => texts.includes('hi'));
      expect(atAda.messages.at(-1)).toMatchObject({ parentName: nameOf(ada), parentContent: 'hello' });

      const target = { ...place, id: first?.id, userId: ada };
      adaPage.send('send-direct-modify', { ...target, content: 'hello, Bob', type: 'modify' });
      await atBob.until(({ texts }) => texts.includes('hello, Bob'));
      expect(await bobPage.history('direct', room)).toMatchObject([
        { message: 'hello, Bob', fileType: null },
        { message: 'hi', fileType: 'reply', parentContent: 'hello, Bob' },
      ]);
      adaPage.send('send-direct-delete', { ...target, type: 'delete' });
      await atBob.until(({ texts }) => texts.join() === 'hi');
      expect(await bobPage.history('direct', room)).toMatchObject([
        { message: 'hi', parentName: '', parentContent: '삭제된 메세지입니다.' },
      ]);
    },
  );

  it('goes from one community to another and back, and unsubscribes ids that are gone', async () => {
    const { ada, bob, ...places } = stage().scene();
    const [adaPage, bobPage] = [await open(stage(), ada), await open(stage(), bob)];
    /** Shows a community and one of its channels until Ada has read a message there. */
    const visit = async (community: number, channel: number, content: string) => {
      const people = await adaPage.show(`/topic/community/${community}`);
      const { screen, id } = await adaPage.show(`/topic/group/${channel}`);
      const place = { communityId: String(community), channelId: String(channel) };
      bobPage.send('send-channel-message', bobPage.author({ ...place, content }));
      await screen.until(({ texts }) => texts.at(-1) === content);
      for (const each of [people.id, id]) adaPage.hide(each);
      return { screen, ids: [people.id, id] };
    };
    const first = await visit(places.community, places.channel, 'one');
    await visit(places.otherCommunity, places.otherChannel, 'two');
    for (const id of first.ids) adaPage.hide(id);
    const again = await visit(places.community, places.channel, 'three');
    expect(first.screen.texts).toEqual(['one']);
    expect(again.screen.texts).toEqual(['three']);
    expect((await adaPage.history('community', places.channel)).map(({ message }) => message)).toEqual([
      'one',
      'three',
    ]);
  });

  it('replies, edits, types and deletes in a channel', async () => {
    const { ada, bob, community, channel } = stage().scene();
    const [adaPage, bobPage] = [await open(stage(), ada), await open(stage(), bob)];
    const { screen } = await bobPage.show(`/topic/group/${channel}`);
    const place = { communityId: String(community), channelId: String(channel) };
    adaPage.send('send-channel-typing', { channelId: String(channel), content: nameOf(ada), type: 'typing' });
    adaPage.send('send-channel-message', adaPage.author({ ...place, content: 'hello' }));
    await screen.until(({ texts, typists }) => texts.length === 1 && typists.length === 1);
    const id = screen.messages[0]?.id;
    const parent = { parentId: id, parentName: nameOf(ada), parentContent: 'hello' };
    adaPage.send('send-channel-reply', adaPage.author({ ...place, ...parent, content: 'again', type: 'reply' }));
    const target = { channelId: String(channel), id, userId: ada };
    adaPage.send('send-channel-modify', { ...target, content: 'edited', type: 'modify' });
    await screen.until(({ texts }) => texts.join() === 'edited,again');
    adaPage.send('send-channel-delete', { ...target, type: 'delete' });
    await screen.until(({ texts }) => texts.join() === 'again');
  });

  it('shows a picture with and without a thumbnail, live and in the history', async () => {
    const { ada, bob, room, community, channel } = stage().scene();
    const [adaPage, bobPage] = [await open(stage(), ada), await open(stage(), bob)];
    const { screen: direct } = await bobPage.show(`/topic/direct/${room}`);
    const { screen: group } = await bobPage.show(`/topic/group/${channel}`);
    const fields = adaPage.author({ channelId: room, type: 'direct', fileType: 'image' });
    const inChannel = adaPage.author({
      communityId: community,
      channelId: channel,
      type: 'community',
      fileType: 'image',
    });
    // Where the browser made no thumbnail, the field holds this text.
    await adaPage.upload('file', PICTURE, 'undefined', fields);
    await adaPage.upload('file', PICTURE, png(4, 3), fields);
    await adaPage.upload('channel/file', PICTURE, 'undefined', inChannel);
    await direct.until(({ messages }) => messages.length === 2);
    await group.until(({ messages }) => messages.length === 1);
    const [plain, small] = direct.messages;
    expect(plain?.thumbnail).toBe(plain?.message);
    expect(small?.thumbnail).not.toBe(small?.message);
    for (const { message, thumbnail } of [...direct.messages, ...group.messages]) {
      for (const link of [message, String(thumbnail)]) {
        const picture = await fetch(link);
        expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/png']);
      }
    }
    const entries = [...(await bobPage.history('direct', room)), ...(await bobPage.history('community', channel))];
    expect(entries.map(({ fileType }) => fileType)).toEqual(['image', 'image', 'image']);
    expect(entries.map(({ thumbnail }) => typeof thumbnail)).toEqual(['string', 'string', 'string']);
  });

  it.each([50, 100, 130])('scrolls up through a history of %i messages', async (count) => {
    const { ada, bob, room } = stage().scene();
    const [adaPage, bobPage] = [await open(stage(), ada), await open(stage(), bob)];
    const { screen } = await bobPage.show(`/topic/direct/${room}`);
    const sent = Array.from({ length: count }, (_, index) => `message ${index}`);
    for (const content of sent) adaPage.send('send-direct-message', adaPage.author({ channelId: room, content }));
    await screen.until(({ messages }) => messages.length === count);
    expect(screen.texts).toEqual(sent);
    expect((await bobPage.history('direct', room)).map(({ message }) => message)).toEqual(sent);
  });

  it('sees who comes and goes, who is in voice, and who hung up', async () => {
    const { ada, bob, room, community, channel, voice } = stage().scene();
    const bobPage = await open(stage(), bob);
    const { screen: people } = await bobPage.show(`/topic/community/${community}`);
    const { screen: direct } = await bobPage.show(`/topic/direct/${room}`);
    const adaPage = await WebPage.open(stage(), ada);
    await people.until(({ online }) => online.has(String(ada)));
    await direct.until(({ online }) => online.has(String(ada)));
    const place = { user_id: ada, community_id: String(community), channel_id: `c-${voice}` };
    adaPage.send('signaling', { type: 'enter', ...place });
    await people.until((screen) => screen.voice?.[voice]?.includes(String(ada)) === true);
    // Ada looks at a text channel during the call, and at home.
    for (const looked of [`c-${channel}`, 'home']) {
      adaPage.send('join-channel', { type: 'state', user_id: ada, channel_id: looked });
    }
    const { screen: atAda } = await adaPage.show(`/topic/community/${community}`);
    expect(atAda.voice?.[voice]).toContain(String(ada));
    expect(people.bodies.some(({ type }) => type === 'out')).toBe(false);
    await stage().serviceCall('POST', 'signaling-list-community', {
      type: 'out',
      communityId: String(community),
      channelId: `c-${voice}`,
      ids: [],
    });
    await people.until((screen) => screen.voice?.[voice]?.length === 0);
    await stage().serviceCall('POST', 'signaling-list-direct', { type: 'out', channelId: String(room), ids: [] });
    await direct.until(({ bodies }) => bodies.some(({ type }) => type === 'out'));
    await adaPage.close();
    await people.until(({ online }) => !online.has(String(ada)));
    await direct.until(({ online }) => !online.has(String(ada)));
    expect(adaPage.failures).toEqual([]);
  });

  it('sends to a room that was created a moment before, without being subscribed to it', async () => {
    const { ada, bob, room } = stage().scene();
    const [adaPage, bobPage] = [await open(stage(), ada), await open(stage(), bob)];
    const created = 900_000 + room;
    await stage().serviceCall('PUT', `room-user-list/${created}`, [ada, bob]);
    adaPage.send('send-direct-message', adaPage.author({ channelId: created, content: 'come to my community' }));
    await expect
      .poll(async () => (await bobPage.history('direct', created).catch(() => [])).map(({ message }) => message))
      .toEqual(['come to my community']);
    const { screen } = await bobPage.show(`/topic/direct/${created}`);
    adaPage.send('send-direct-message', adaPage.author({ channelId: created, content: 'are you there?' }));
    await screen.until(({ texts }) => texts.join() === 'are you there?');
  });

  it('keeps its connection when a message is refused, and never sees a type that it does not know', async () => {
    const { ada, bob, room, community, channel } = stage().scene();
    const [adaPage, bobPage] = [await open(stage(), ada), await open(stage(), bob)];
    const { screen: atAda } = await adaPage.show(`/topic/direct/${room}`);
    const { screen: atBob } = await bobPage.show(`/topic/direct/${room}`);
    const { screen: people } = await bobPage.show(`/topic/community/${community}`);
    const { screen: group } = await bobPage.show(`/topic/group/${channel}`);
    adaPage.send('send-direct-message', adaPage.author({ channelId: room, content: 'x'.repeat(8_001) }));
    adaPage.send('send-direct-message', adaPage.author({ channelId: 999_999, content: 'not my room' }));
    adaPage.send('send-direct-message', adaPage.author({ channelId: room, content: 'short' }));
    await atBob.until(({ texts }) => texts.join() === 'short');
    // The members lose their places one after the other.
    await stage().serviceCall('PUT', `community-user-list/${community}`, [ada]);
    await stage().serviceCall('PUT', `room-user-list/${room}`, [ada]);
    await expect
      .poll(() => bobPage.history('direct', room).then(String, () => 'refused'), { timeout: 5_000 })
      .toContain('refused');
    adaPage.send('send-direct-message', adaPage.author({ channelId: room, content: 'without Bob' }));
    await atAda.until(({ texts }) => texts.at(-1) === 'without Bob');
    const types = [atBob, people, group].flatMap(({ bodies }) => bodies.map(({ type }) => type));
    // The voice list has no type.
    for (const type of types) expect([undefined, 'connect', 'typing', 'message']).toContain(type);
    expect(atBob.texts).toEqual(['short']);
  });

  it('counts the unread messages of a room for its badge until the user looks at it', async () => {
    const { ada, bob, room } = stage().scene();
    const [adaPage, bobPage] = [await open(stage(), ada), await open(stage(), bob)];
    const { screen } = await bobPage.show(`/topic/direct/${room}`);
    const badge = () => stage().serviceCall('POST', 'message-count', { userId: bob, roomIds: [room] });
    for (const content of ['one', 'two'])
      adaPage.send('send-direct-message', adaPage.author({ channelId: room, content }));
    await screen.until(({ texts }) => texts.length === 2);
    expect(await badge()).toMatchObject([{ roomId: room, count: 2, localDateTime: expect.stringMatching(/^\d{17}$/) }]);
    bobPage.send('join-channel', { type: 'state', user_id: bob, channel_id: `r-${room}` });
    bobPage.send('join-channel', { type: 'state', user_id: bob, channel_id: 'home' });
    await expect.poll(badge).toMatchObject([{ roomId: room, count: 0 }]);
    adaPage.send('send-direct-message', adaPage.author({ channelId: room, content: 'three' }));
    await screen.until(({ texts }) => texts.length === 3);
    expect(await badge()).toMatchObject([{ roomId: room, count: 1 }]);
  });

  it.each(['', 'x'])('sends a long text in pieces of 16 KB, cut at any place (%j)', async (shift) => {
    const { ada, bob, room } = stage().scene();
    const [adaPage, bobPage] = [await open(stage(), ada), await open(stage(), bob)];
    const { screen } = await bobPage.show(`/topic/direct/${room}`);
    const content = shift + '😀'.repeat(7_900);
    // With the long picture address, the frame has more than 16 * 1024 UTF-16 units.
    const profileImage = `https://img.example/${'p'.repeat(1_000)}.png`;
    adaPage.send('send-direct-message', { ...adaPage.author({ channelId: room, content }), profileImage });
    await screen.until(({ messages }) => messages.length === 1);
    expect(screen.texts).toEqual([content]);
    expect((await bobPage.history('direct', room)).map(({ message }) => message)).toEqual([content]);
  });
});
