import { expect, it } from 'vitest';
import { startApplication } from '../../../../support/application.ts';

it('stores a room message under the next number and delivers it to the room', async () => {
  const { world, app, subscribe } = await startApplication();
  const grace = await subscribe(world.grace, world.room);
  const { result } = await app.sendDirectMessage(world.ada, {
    roomId: world.roomId,
    content: 'hello',
    name: 'Countess',
    profileImage: null,
    nonce: null,
  });
  const { seq, id } = await result;
  expect(seq).toBe(1);
  expect(await grace.hears(1)).toEqual([
    {
      kind: 'message',
      place: world.room,
      seq: 1,
      id,
      userId: world.ada.userId,
      time: world.clock.now(),
      nonce: null,
      communityId: null,
      name: 'Countess',
      profileImage: null,
      content: 'hello',
    },
  ]);
});
