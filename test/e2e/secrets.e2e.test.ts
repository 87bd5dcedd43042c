import { randomBytes } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import { expect, it } from 'vitest';
import { StompClient } from '../../dev/stomp-client.ts';
import { codeOf } from '../support/answer-code.ts';
import { startSystem } from './system.ts';

/** A text that occurs nowhere else. */
const mark = (what: string) => `${what}-${randomBytes(12).toString('hex')}`;

it('writes no token, secret, name or text of a conversation to the log or the metrics', async () => {
  const serviceToken = mark('service');
  const secret = randomBytes(48).toString('base64');
  const previous = randomBytes(48).toString('base64');
  const env = { JWT_SECRET: secret, LOG_LEVEL: 'debug', SERVICE_TOKEN: serviceToken, JWT_SECRET_PREVIOUS: previous };
  const system = await startSystem(env);
  const token = (userId: number) =>
    jsonwebtoken.sign({ id: userId, role: 'USER' }, Buffer.from(secret, 'base64'), { subject: 'a', expiresIn: 600 });
  try {
    const texts = { content: mark('content'), name: mark('name'), file: mark('file'), nonce: mark('nonce') };
    const tokens = [token(1), token(2), `${token(1)}x`];
    const one = await StompClient.connect({ url: system.url, token: token(1) });
    const two = await StompClient.connect({ url: system.url, token: token(2) });
    await StompClient.connect({ url: system.url, token: `${token(1)}x` }).catch(() => undefined);
    await one.subscribe('/user/queue/errors');
    const room = await two.subscribe('/topic/direct/5');
    const message = { channelId: 5, userId: 1, profileImage: null, ...texts };
    const { headers } = await one.send('/kafka/send-direct-message', message);
    await room.next(({ seq }) => seq === 1);
    const target = { id: headers['message-id'], channelId: 5, userId: 1 };
    await one.send('/kafka/send-direct-modify', { ...target, content: texts.content, type: 'modify' });
    await one
      .send('/kafka/send-direct-message', { ...message, channelId: 99, nonce: undefined })
      .catch(() => undefined);
    await one.send('/kafka/send-direct-message', `{"content":"${texts.content}"`).catch(() => undefined);
    await one.send('/kafka/token', { token: token(1) });

    const authorized = { AUTHORIZATION: `Bearer ${token(1)}` };
    const form = new FormData();
    const fields = { userId: '1', channelId: '5', type: 'direct', fileType: 'file', name: texts.name };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('image', new Blob([texts.content]), texts.file);
    const answer = await fetch(`${system.url}/chat-server/file`, { method: 'POST', headers: authorized, body: form });
    const { result } = (await answer.json()) as { result: { message: string } };
    const signature = new URL(result.message).searchParams.get('sig') ?? '';
    expect(await (await fetch(result.message)).text()).toBe(texts.content);
    await fetch(`${result.message}x`);
    await codeOf(fetch(`${system.url}/chat-server/direct?ch_id=5`, { headers: authorized }));
    const service = { authorization: `Bearer ${serviceToken}` };
    await fetch(`${system.url}/chat-server/room-user-list/5`, { method: 'PUT', headers: service, body: '[1]' });
    await Promise.all([one.close(), two.close()]);
    const metrics = await (await fetch(`${system.url}/metrics`)).text();
    await system.server.stop();

    const log = await system.server.log();
    expect(log.split('\n').length).toBeGreaterThan(2);
    const hidden = [...tokens, ...Object.values(texts), serviceToken, previous, secret, signature];
    for (const said of hidden) for (const where of [log, metrics]) expect(where).not.toContain(said);
    // No part of a token either.
    expect(log).not.toMatch(/eyJ[\w-]{10,}\./);
  } finally {
    await system.stop();
  }
});
