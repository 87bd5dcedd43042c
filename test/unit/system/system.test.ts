import { describe, expect, test } from 'vitest';
import { SystemClock } from '../../../src/adapters/system/clock.ts';
import { SystemIdSource } from '../../../src/adapters/system/id-source.ts';
import { SystemTelemetry } from '../../../src/adapters/system/telemetry.ts';
import { parseMessageId } from '../../../src/domain/ids.ts';

describe('the clock', () => {
  test('runs a task once, unless it was cancelled', async () => {
    const clock = new SystemClock();
    const ran: string[] = [];
    clock.after(1, () => ran.push('cancelled')).cancel();
    clock.after(1, () => ran.push('early'));
    // Longer than timers of the platform can be: at once would be wrong.
    const far = clock.after(2 ** 40, () => ran.push('far'));
    await new Promise<void>((resolve) => clock.after(30, resolve));
    expect(ran).toEqual(['early']);
    far.cancel();
    await new Promise<void>((resolve) => clock.soon(resolve));
  });
});

describe('ids', () => {
  test('of messages are unique and tell their second', () => {
    const ids = new SystemIdSource({ now: () => 1_795_363_775_642 });
    const made = Array.from({ length: 10_000 }, () => ids.messageId());
    expect(new Set(made).size).toBe(10_000);
    for (const id of made) expect(parseMessageId(id)).toBe(id);
    expect(Number.parseInt(made[0]?.slice(0, 8) ?? '', 16)).toBe(1_795_363_775);
    expect(new SystemIdSource().messageId().slice(8, 18)).not.toBe(made[0]?.slice(8, 18));
  });

  test('that are secret are long, and safe in URLs', () => {
    const ids = new SystemIdSource();
    const made = Array.from({ length: 1_000 }, () => ids.secret());
    expect(new Set(made).size).toBe(1_000);
    for (const secret of made) expect(secret).toMatch(/^[A-Za-z0-9_-]{24}$/);
  });
});

describe('telemetry', () => {
  function start() {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line) };
    return { lines, telemetry: SystemTelemetry.create({ base: { server: 'a' }, destination }) };
  }

  test('counts and measures under names of its own', async () => {
    const { telemetry } = start();
    telemetry.count('events_stored');
    telemetry.of('sub').count('events_stored', 4);
    telemetry.observe('append_ms', 7);
    const text = await telemetry.registry.metrics();
    expect(text).toContain('chat_events_stored_total 5');
    expect(text).toContain('chat_append_ms_bucket{le="10"} 1');
    expect(text).toContain('chat_refusals_total 0');
    expect(await SystemTelemetry.create({ level: 'silent' }).registry.metrics()).toContain(
      'chat_events_stored_total 0',
    );
  });

  test('a line is one line, whatever a field holds', () => {
    const { lines, telemetry } = start();
    telemetry.of('stomp').log('warn', 'refused', { userId: 3, destination: 'x\n{"level":60,"msg":"forged"}' });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toContain('\n');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ server: 'a', subsystem: 'stomp', userId: 3, msg: 'refused' });
  });

  test('tokens and texts do not get into the log', () => {
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
});
