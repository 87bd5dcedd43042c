import { expect, it } from 'vitest';
import { SystemClock } from '../../../src/adapters/system/clock.ts';
import { SystemIdSource } from '../../../src/adapters/system/id-source.ts';
import { SystemTelemetry } from '../../../src/adapters/system/telemetry.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { parseMessageId } from '../../../src/domain/ids.ts';

it('runs a task of the clock once, and a cancelled task never', async () => {
  const clock = new SystemClock();
  const ran: string[] = [];
  clock.after(1, () => ran.push('cancelled')).cancel();
  clock.after(1, () => ran.push('early'));
  // Longer than the timers of the platform can be. It must not run at once.
  const far = clock.after(2 ** 40, () => ran.push('far'));
  await new Promise<void>((resolve) => clock.after(30, resolve));
  expect(ran).toEqual(['early']);
  far.cancel();
  await new Promise<void>((resolve) => clock.soon(resolve));
});

it('makes unique message ids that begin with the time in seconds', () => {
  const ids = new SystemIdSource({ now: () => 1_795_363_775_642 });
  const made = Array.from({ length: 10_000 }, () => ids.messageId());
  expect(new Set(made).size).toBe(10_000);
  for (const id of made) expect(parseMessageId(id)).toBe(id);
  expect(Number.parseInt(made[0]?.slice(0, 8) ?? '', 16)).toBe(1_795_363_775);
  expect(new SystemIdSource().messageId().slice(8, 18)).not.toBe(made[0]?.slice(8, 18));
});

it('makes secrets that are long, unique and safe in URLs', () => {
  const ids = new SystemIdSource();
  const made = Array.from({ length: 1_000 }, () => ids.secret());
  expect(new Set(made).size).toBe(1_000);
  for (const secret of made) expect(secret).toMatch(/^[A-Za-z0-9_-]{24}$/);
});

function start() {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  return { lines, telemetry: SystemTelemetry.create({ base: { server: 'a' }, destination }) };
}

it('counts and measures under names that begin with chat_', async () => {
  const { telemetry } = start();
  telemetry.count('events_stored');
  telemetry.of('sub').count('events_stored', 4);
  telemetry.observe({ kind: 'append', seconds: 0.007, events: 3 });
  const text = await telemetry.registry.metrics();
  expect(text).toContain('chat_events_stored_total 5');
  expect(text).toContain('chat_append_seconds_bucket{le="0.01"} 1');
  expect(text).toContain('chat_append_ms_bucket{le="10"} 1');
  expect(text).toContain('chat_refusals_total 0');
  expect(await SystemTelemetry.create({ level: 'silent' }).registry.metrics()).toContain('chat_events_stored_total 0');
});

it('writes one line whatever a field contains', () => {
  const { lines, telemetry } = start();
  telemetry.of('stomp').log('warn', 'refused', { userId: 3, destination: 'x\n{"level":60,"msg":"forged"}' });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.trimEnd()).not.toContain('\n');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ server: 'a', subsystem: 'stomp', userId: 3, msg: 'refused' });
});

it('logs the message, code, stack and causes of an error', () => {
  const { lines, telemetry } = start();
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const cause = new AggregateError([refused], 'no address answers');
  telemetry.log('warn', 'failed', { error: new Refusal('try-again', 'not now', { cause }) });
  telemetry.log('warn', 'failed', { error: 'a text' });
  const [first, second] = lines.map((line) => JSON.parse(line));
  expect(first.error).toEqual({
    type: 'Refusal',
    message: 'not now',
    code: 'try-again',
    cause: {
      type: 'AggregateError',
      message: 'no address answers',
      stack: expect.stringContaining('system.test.ts'),
      errors: [{ type: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED', stack: expect.any(String) }],
    },
  });
  expect(second.error).toBe('a text');
});

it('logs an error without an end of causes', () => {
  const { lines, telemetry } = start();
  const error = new Error('round');
  error.cause = error;
  telemetry.log('info', 'failed', { error });
  expect(lines).toHaveLength(1);
});

it('raises the level of a full disk to error', async () => {
  const { lines, telemetry } = start();
  const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
  telemetry.log('warn', 'the file store failed', { error: full });
  telemetry.log('warn', 'an append failed', { error: new Refusal('store-failed', 'no', { cause: full }) });
  telemetry.log('warn', 'an append failed', { error: new Refusal('store-failed', 'no') });
  expect(lines.map((line) => JSON.parse(line).level)).toEqual([50, 50, 40]);
});

it('keeps tokens and message texts out of the log', () => {
  const { lines, telemetry } = start();
  telemetry.log('info', 'x', {
    token: 'hush',
    caller: { token: 'hush' },
    content: 'hush',
    headers: { authorization: 'hush' },
  });
  telemetry.log('debug', 'not shown');
  expect(lines.join()).not.toContain('hush');
  expect(lines).toHaveLength(1);
});
