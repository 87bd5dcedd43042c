import { expect, it } from 'vitest';
import type { Caller } from '../../../../../src/application/commands.ts';
import { startApplication } from '../../../../support/application.ts';
import { TestClient } from '../../../../support/test-client.ts';
import { absentReporter } from './absent-reporter.ts';

function connection(sessionId: string, { token }: Caller, claimedUserId: string | null = null) {
  return { sessionId, token, claimedUserId, client: new TestClient() };
}

it('begins a session for the user of the token and reports the login', async () => {
  const { world, app } = await startApplication();
  const caller = app.userConnected(connection('connected-1', world.ada));
  expect(caller).toMatchObject({ userId: world.ada.userId, token: world.ada.token });
  expect(await app.online(world.ada, { place: world.room })).toEqual([world.ada.userId]);
  expect(await world.reporter.logout('connected-1')).toEqual({
    userId: world.ada.userId,
    whereabouts: { kind: 'home' },
  });
});

it.each(['Bearer ', 'bearer   ', ''])('accepts a token after the prefix "%s"', async (prefix) => {
  const { world, app } = await startApplication();
  const token = `${prefix}${world.ada.token} `;
  expect(app.authenticate(token, String(world.ada.userId))).toMatchObject({
    userId: world.ada.userId,
    token: world.ada.token,
  });
});

it.each([null, '', ' ', 'Bearer '])('refuses a connection without a token (%j)', async (token) => {
  const { app } = await startApplication();
  expect(() => app.authenticate(token, null)).toThrow(expect.objectContaining({ code: 'no-token' }));
});

it('refuses a token that is not valid', async () => {
  const { app } = await startApplication();
  const act = () =>
    app.userConnected({ sessionId: 'connected-2', token: 'nonsense', claimedUserId: null, client: new TestClient() });
  expect(act).toThrow(expect.objectContaining({ code: 'bad-token' }));
});

it.each(['another', 'no number'])('refuses a token when the client claims to be %s', async (claim) => {
  const { world, app } = await startApplication();
  const claimed = claim === 'another' ? String(world.grace.userId) : claim;
  const act = () => app.userConnected(connection('connected-3', world.ada, claimed));
  expect(act).toThrow(expect.objectContaining({ code: 'bad-token' }));
});

it('refuses a connection over the limit of the user until another one ends', async () => {
  const { world, app } = await startApplication({ limits: { connectionsPerUser: 2 } });
  app.userConnected(connection('connected-4', world.ada));
  app.userConnected(connection('connected-5', world.ada));
  const act = () => app.userConnected(connection('connected-6', world.ada));
  expect(act).toThrow(expect.objectContaining({ code: 'too-fast' }));
  expect(() => app.userConnected(connection('connected-7', world.grace))).not.toThrow();
  app.userDisconnected('connected-4');
  expect(act).not.toThrow();
});

it('refuses a session id that is in use, and leaves the session of that id alone', async () => {
  const { world, app } = await startApplication();
  app.userConnected(connection('connected-8', world.ada));
  const act = () => app.userConnected(connection('connected-8', world.grace));
  expect(act).toThrow(expect.objectContaining({ code: 'internal' }));
  expect(await app.online(world.ada, { place: world.room })).toEqual([world.ada.userId]);
});

it('begins a session while the presence service is away, and counts the failure', async () => {
  const { world, app, telemetry } = await startApplication({ ports: { reporter: absentReporter } });
  app.userConnected(connection('connected-9', world.ada));
  expect(await app.online(world.ada, { place: world.room })).toEqual([world.ada.userId]);
  expect(telemetry.counts.get('presence_failures')).toBe(1);
});

it.each([true, false])(
  'asks the user service for the profile of a new user if it decides names (%s)',
  async (authoritative) => {
    const asked: number[] = [];
    const users = {
      authoritative,
      profiles: async (ids: readonly number[]) => {
        asked.push(...ids);
        return new Map();
      },
      cached: () => undefined,
      forget: () => {},
    };
    const { world, app } = await startApplication({ ports: { users } });
    app.userConnected(connection('connected-10', world.ada));
    expect(asked).toEqual(authoritative ? [world.ada.userId] : []);
  },
);

it('accepts a new token of the same user for a live session', async () => {
  const { world, app } = await startApplication();
  const token = `user-${world.ada.userId}-countess`;
  expect(app.refreshToken(world.ada, `Bearer ${token}`)).toMatchObject({ token });
});

it('refuses a new token of another user for a live session', async () => {
  const { world, app } = await startApplication();
  const act = () => app.refreshToken(world.ada, world.grace.token);
  expect(act).toThrow(expect.objectContaining({ code: 'bad-token' }));
});
