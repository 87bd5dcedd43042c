import { expect, it } from 'vitest';
import { unlimited } from '../../../dev/unlimited.ts';
import type { Limits } from '../../../src/application/limits.ts';
import type { SharedRates } from '../../../src/application/ports/shared-rates.ts';
import { Rates, sharedRateLimits } from '../../../src/application/rates.ts';
import { HandClock } from '../../support/hand-clock.ts';

const ADA = 1;
const GRACE = 2;

function start(limits: Partial<Limits>) {
  const clock = new HandClock();
  const rates = new Rates({ limits: { ...unlimited, ...limits }, clock, shared: null, isElsewhere: () => false });
  return { clock, rates };
}

/** How many of `count` calls pass. */
function passing(count: number, call: () => void): number {
  let passed = 0;
  for (let at = 0; at < count; at += 1) {
    try {
      call();
      passed += 1;
    } catch (error) {
      expect(error).toMatchObject({ code: 'too-fast' });
    }
  }
  return passed;
}

it('lets a burst pass at once, and after that one message for each refilled token', () => {
  const { clock, rates } = start({ messagesPerSecond: 10, messagesBurst: 30 });
  const message = () => rates.message(ADA);
  expect(passing(50, message)).toBe(30);
  clock.pass(99);
  expect(passing(5, message)).toBe(0);
  clock.pass(1);
  expect(passing(5, message)).toBe(1);
  clock.pass(1_000);
  expect(passing(50, message)).toBe(10);
});

it('never refills more than the burst', () => {
  const { clock, rates } = start({ messagesPerSecond: 10, messagesBurst: 30 });
  expect(passing(5, () => rates.message(ADA))).toBe(5);
  // Shorter than the 10 s after which full buckets are removed.
  clock.pass(9_000);
  expect(passing(50, () => rates.message(ADA))).toBe(30);
});

it('says after how many milliseconds the refused command may succeed', () => {
  const { clock, rates } = start({ messagesPerSecond: 10, messagesBurst: 2, uploadsPerMinute: 1 });
  const refused = (call: () => void): unknown => {
    try {
      return call();
    } catch (error) {
      return error;
    }
  };
  passing(2, () => rates.message(ADA));
  clock.pass(30);
  expect(refused(() => rates.message(ADA))).toMatchObject({ code: 'too-fast', retryAfterMs: 70 });
  clock.pass(50);
  expect(refused(() => rates.message(ADA))).toMatchObject({ retryAfterMs: expect.closeTo(20, -1) });
  clock.pass(20);
  expect(refused(() => rates.message(ADA))).toBeUndefined();
  passing(2, () => rates.step(ADA));
  expect(refused(() => rates.step(ADA))).toMatchObject({ retryAfterMs: 100 });
  rates.upload(ADA);
  expect(refused(() => rates.upload(ADA))).toMatchObject({ retryAfterMs: 60_000 });
});

it('counts each user by itself', () => {
  const { rates } = start({ messagesPerSecond: 1, messagesBurst: 1 });
  rates.message(ADA);
  expect(() => rates.message(ADA)).toThrow('too many messages; the limit is 1 a second');
  expect(() => rates.message(GRACE)).not.toThrow();
});

it('counts messages, moves and uploads separately', () => {
  const { rates } = start({ messagesPerSecond: 1, messagesBurst: 1, uploadsPerMinute: 1 });
  rates.message(ADA);
  rates.step(ADA);
  rates.upload(ADA);
  expect(() => rates.message(ADA)).toThrow('too many messages; the limit is 1 a second');
  expect(() => rates.step(ADA)).toThrow('too many moves and voice channel requests; the limit is 1 a second');
  expect(() => rates.upload(ADA)).toThrow('too many uploads; the limit is 1 a minute');
});

it('refills uploads by the minute', () => {
  const { clock, rates } = start({ uploadsPerMinute: 20 });
  const upload = () => rates.upload(ADA);
  expect(passing(30, upload)).toBe(20);
  clock.pass(2_990);
  expect(passing(5, upload)).toBe(0);
  clock.pass(20);
  expect(passing(5, upload)).toBe(1);
});

it('sets no limit if the rate is Infinity', () => {
  const { rates } = start({ messagesPerSecond: Number.POSITIVE_INFINITY, messagesBurst: 1 });
  expect(passing(1_000, () => rates.message(ADA))).toBe(1_000);
});

it('does not give a user a fresh burst when it removes full buckets from memory', () => {
  const { clock, rates } = start({ messagesPerSecond: 1, messagesBurst: 100 });
  expect(passing(100, () => rates.message(ADA))).toBe(100);
  // Buckets are pruned at most every 10 s; this one has 11 of its 100 tokens then.
  clock.pass(11_000);
  expect(passing(100, () => rates.message(ADA))).toBe(11);
});

it('ignores jumps of the wall clock', () => {
  const { clock, rates } = start({ messagesPerSecond: 1, messagesBurst: 1 });
  rates.message(ADA);
  clock.jump(-3_600_000);
  clock.pass(1_000);
  expect(() => rates.message(ADA)).not.toThrow();
  clock.jump(3_600_000);
  expect(() => rates.message(ADA)).toThrow(expect.objectContaining({ code: 'too-fast' }));
});

it('lets one typing notice of a user and place pass in the limit of time', () => {
  const { clock, rates } = start({ typingSeconds: 3 });
  expect(rates.typing(ADA, 'r-5')).toBe(true);
  clock.pass(2_999);
  expect(rates.typing(ADA, 'r-5')).toBe(false);
  clock.pass(1);
  expect(rates.typing(ADA, 'r-5')).toBe(true);
});

it('counts typing notices for each user and place by itself', () => {
  const { rates } = start({ typingSeconds: 3 });
  expect([rates.typing(ADA, 'r-5'), rates.typing(ADA, 'c-5'), rates.typing(GRACE, 'r-5')]).toEqual([true, true, true]);
});

it('remembers recent typing notices when it removes old ones from memory', () => {
  const { clock, rates } = start({ typingSeconds: 3 });
  clock.pass(5_000);
  expect(rates.typing(ADA, 'r-5')).toBe(true);
  // Old notices are removed when the last removal is more than 6 s ago.
  clock.pass(1_001);
  expect(rates.typing(ADA, 'r-5')).toBe(false);
});

it('asks the count of all servers only for a user who may be at another one, after its own count', async () => {
  const clock = new HandClock();
  const asked: string[] = [];
  const answers: (number | null)[] = [0, 250, null];
  const shared: SharedRates = {
    take: async (action, userId) => {
      asked.push(`${action} ${userId}`);
      return answers.shift() ?? 0;
    },
  };
  const limits = { ...unlimited, messagesPerSecond: 1, messagesBurst: 3, uploadsPerMinute: 1 };
  const rates = new Rates({ limits, clock, shared, isElsewhere: (userId) => userId === GRACE });
  expect(rates.message(ADA)).toBeUndefined();
  await rates.message(GRACE);
  await expect(rates.message(GRACE)).rejects.toMatchObject({ code: 'too-fast', retryAfterMs: 250 });
  // The count is not reached. This server's own one has let the message pass.
  await rates.message(GRACE);
  expect(() => rates.message(GRACE)).toThrow('too many messages; the limit is 1 a second');
  await rates.upload(GRACE);
  expect(asked).toEqual(['message 2', 'message 2', 'message 2', 'upload 2']);
});

it('gives all servers together the average and the burst that one server has', () => {
  const limits = { ...unlimited, messagesPerSecond: 10, messagesBurst: 30, uploadsPerMinute: 30 };
  expect(sharedRateLimits(limits)).toEqual({
    message: { actions: 30, seconds: 3 },
    upload: { actions: 30, seconds: 60 },
  });
  expect(sharedRateLimits({ ...limits, messagesBurst: 5 })?.message).toEqual({ actions: 10, seconds: 1 });
  expect(sharedRateLimits(unlimited)).toBeNull();
});
