import { expect, it } from 'vitest';
import { SessionLedger } from '../../../src/adapters/tcp/session-ledger.ts';

const ROOM = { kind: 'conversation', key: 'r-5' } as const;
const HOME = { kind: 'home' } as const;

/** The updates that have to be reported, as short texts. */
function unreported(ledger: SessionLedger): string[] {
  return [...ledger.unreported()].map((update) =>
    update.kind === 'whereabouts' ? `whereabouts ${update.userId}` : `${update.kind} ${update.sessionId}`,
  );
}

it('the ledger has nothing to report after a login that succeeded', () => {
  const ledger = new SessionLedger(10);
  ledger.began('s1', 1);
  expect(ledger.hasMissed).toBe(false);
  expect(unreported(ledger)).toEqual([]);
});

it('reports a login again that failed, once', () => {
  const ledger = new SessionLedger(10);
  ledger.began('s1', 1);
  ledger.missedLogin('s1');
  expect(ledger.hasMissed).toBe(true);
  expect(unreported(ledger)).toEqual(['login s1']);
  expect(ledger.hasMissed).toBe(false);
  expect(unreported(ledger)).toEqual([]);
});

it('reports every live session once in a new round', () => {
  const ledger = new SessionLedger(10);
  for (const userId of [1, 2, 3]) ledger.began(`s${userId}`, userId);
  ledger.ended('s2');
  ledger.newRound();
  expect(unreported(ledger)).toEqual(['login s1', 'login s3']);
  expect(unreported(ledger)).toEqual([]);
});

it('reports missed logouts first, then logins, then places', () => {
  const ledger = new SessionLedger(10);
  ledger.began('s1', 1);
  ledger.began('s2', 2);
  ledger.ended('s2');
  ledger.missedMove(1, ROOM);
  ledger.missedLogout('s2');
  ledger.newRound();
  expect(unreported(ledger)).toEqual(['logout s2', 'login s1', 'whereabouts 1']);
});

it('keeps a missed logout or place until it was reported', () => {
  const ledger = new SessionLedger(10);
  ledger.began('s1', 1);
  ledger.missedLogout('s2');
  ledger.missedMove(1, ROOM);
  expect(unreported(ledger)).toEqual(['logout s2', 'whereabouts 1']);
  for (const update of ledger.unreported()) ledger.reported(update);
  expect(unreported(ledger)).toEqual([]);
});

it('keeps a place that was missed while an older place was being reported', () => {
  const ledger = new SessionLedger(10);
  ledger.began('s1', 1);
  ledger.missedMove(1, ROOM);
  const [older] = ledger.unreported();
  ledger.missedMove(1, HOME);
  if (older !== undefined) ledger.reported(older);
  expect([...ledger.unreported()]).toEqual([{ kind: 'whereabouts', userId: 1, whereabouts: HOME }]);
});

it('forgets a missed place when a later move was reported or the last session ended', () => {
  const ledger = new SessionLedger(10);
  ledger.began('s1', 1);
  ledger.missedMove(1, ROOM);
  ledger.moveReported(1);
  expect(unreported(ledger)).toEqual([]);
  ledger.missedMove(1, ROOM);
  ledger.ended('s1');
  expect(unreported(ledger)).toEqual([]);
});

it('does not keep the place of a user without a session', () => {
  const ledger = new SessionLedger(10);
  ledger.missedMove(1, ROOM);
  expect(ledger.hasMissed).toBe(false);
  expect(unreported(ledger)).toEqual([]);
});

it('drops the oldest missed logouts over the limit', () => {
  const ledger = new SessionLedger(2);
  for (const sessionId of ['s1', 's2', 's3']) ledger.missedLogout(sessionId);
  expect(unreported(ledger)).toEqual(['logout s2', 'logout s3']);
});
