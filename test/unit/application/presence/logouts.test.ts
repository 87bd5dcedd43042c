import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { MemorySessionReporter } from '../../../../src/adapters/memory/session-reporter.ts';
import { Logouts } from '../../../../src/application/presence/logouts.ts';
import { turnEventLoop } from '../../../support/pass-time.ts';

/** A presence service that answers a logout when the test lets it. */
class SlowReporter extends MemorySessionReporter {
  readonly open: (() => void)[] = [];

  override async logout(sessionId: string) {
    await new Promise<void>((resolve) => this.open.push(resolve));
    return super.logout(sessionId);
  }
}

it('reports the sessions of a dead server in groups of 64, and goes on behind one that fails', async () => {
  const reporter = new SlowReporter();
  const telemetry = new RecordedTelemetry();
  const logouts = new Logouts({ reporter, telemetry, markRead: () => Promise.reject(new Error('no store')) });
  const ids = Array.from({ length: 100 }, (_, i) => `s${i}`);
  for (const [userId, id] of ids.entries()) await reporter.login(id, userId);
  await reporter.moved(3, { kind: 'conversation', key: 'r-5' });
  const done = logouts.orphaned(ids);
  await turnEventLoop();
  expect(reporter.open).toHaveLength(64);
  for (const answer of reporter.open.splice(0)) answer();
  await turnEventLoop();
  expect(reporter.open).toHaveLength(36);
  for (const answer of reporter.open.splice(0)) answer();
  await done;
  expect(telemetry.logs).toMatchObject([{ level: 'warn', fields: { userId: 3 } }]);
});
