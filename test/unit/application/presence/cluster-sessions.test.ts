import { expect, it } from 'vitest';
import type { SessionEntry, SessionsReport } from '../../../../src/domain/cluster-event.ts';
import { SessionCluster, type SessionServer } from './session-cluster.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Two servers that know each other. */
function twoServers(): { cluster: SessionCluster; a: SessionServer; b: SessionServer } {
  const cluster = new SessionCluster();
  const [a, b] = cluster.startAll('a', 'b') as [SessionServer, SessionServer];
  return { cluster, a, b };
}

/** A report of a server that is not in the cluster. */
function report(fields: Partial<SessionsReport>): SessionsReport {
  return { kind: 'roster', server: 'x', epoch: 1, version: 1, type: 'delta', joined: [], left: [], ...fields };
}

function entry(userId: number): SessionEntry {
  return { sessionId: `s${userId}`, userId };
}

/** One of the records of a whole report. */
function part(version: number, number: number, parts: number, ...users: number[]): SessionsReport {
  return report({ type: 'roster', version, part: number, parts, joined: users.map(entry) });
}

function online(server: SessionServer, ...users: number[]): number[] {
  return users.filter((userId) => server.sessions.isOnline(userId));
}

it('counts a user as online on every server while they have a session on one', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  expect(a.takeEvents()).toEqual(['online 7 here']);
  cluster.pass(300);
  expect(b.takeEvents()).toEqual(['online 7 elsewhere']);
  expect(online(b, 7, 8)).toEqual([7]);
  a.sessions.leave('s1');
  expect(a.takeEvents()).toEqual(['offline 7 own']);
  cluster.pass(300);
  expect(b.takeEvents()).toEqual(['offline 7 none']);
  expect(online(b, 7)).toEqual([]);
});

it('reports nothing when a second session of a user begins or ends', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  a.takeEvents();
  b.takeEvents();
  a.sessions.join('s2', 7);
  b.sessions.join('s3', 7);
  cluster.pass(300);
  a.sessions.leave('s1');
  b.sessions.leave('s3');
  b.sessions.leave('s3');
  cluster.pass(300);
  expect(a.takeEvents()).toEqual([]);
  expect(b.takeEvents()).toEqual([]);
  expect(a.sessions.sessionsHere(7)).toBe(1);
  expect(online(b, 7)).toEqual([7]);
});

it('counts the sessions of a user on all servers, and knows for a minute that they were elsewhere', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  a.sessions.join('s2', 7);
  expect([a.sessions.sessionsOf(7), a.sessions.isElsewhere(7)]).toEqual([2, false]);
  b.sessions.join('s3', 7);
  cluster.pass(300);
  expect([a.sessions.sessionsOf(7), a.sessions.isElsewhere(7)]).toEqual([3, true]);
  expect([b.sessions.sessionsOf(7), b.sessions.isElsewhere(7)]).toEqual([3, true]);
  b.sessions.leave('s3');
  cluster.pass(300);
  expect([a.sessions.sessionsOf(7), a.sessions.isElsewhere(7)]).toEqual([2, true]);
  cluster.pass(60_000);
  expect(a.sessions.isElsewhere(7)).toBe(false);
});

it('counts a session once that joins twice', () => {
  const { a } = twoServers();
  a.sessions.join('s1', 7);
  a.sessions.join('s1', 7);
  a.sessions.leave('s1');
  expect(a.takeEvents()).toEqual(['online 7 here', 'offline 7 own']);
});

it('does not report a session that began and ended between two reports', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  a.sessions.leave('s1');
  cluster.pass(300);
  expect(a.takeSent()).not.toContain('delta');
  expect(b.takeEvents()).toEqual([]);
});

it('sends an alive report every 2 s when its sessions do not change', () => {
  const { cluster, a } = twoServers();
  cluster.pass(20_000);
  expect(a.takeSent()).toEqual(Array.from({ length: 10 }, () => 'alive'));
});

it('gives a silent server up when its lease of 10 s expires, and not earlier', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(250);
  cluster.kill(a);
  cluster.pass(9_700);
  expect(online(b, 7)).toEqual([7]);
  b.takeEvents();
  cluster.pass(700);
  expect(b.takeEvents()).toEqual(['orphaned s1', 'offline 7 own']);
  expect(online(b, 7)).toEqual([]);
  expect(b.telemetry.counts.get('servers_given_up')).toBe(1);
  expect(b.sessions.isAlone).toBe(true);
});

it('keeps a server whose reports arrive for as long as it lives', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(HOUR);
  expect(b.takeEvents()).toEqual(['online 7 elsewhere']);
});

it('does not judge other servers while its own reports do not come back', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  b.takeEvents();
  b.isDeaf = true;
  cluster.pass(MINUTE);
  expect(b.takeEvents()).toEqual([]);
  expect(online(b, 7)).toEqual([7]);
});

it('gives every server a new lease when its own reports come back', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  b.isDeaf = true;
  cluster.pass(MINUTE);
  cluster.kill(a);
  b.isDeaf = false;
  cluster.pass(9_000);
  expect(online(b, 7)).toEqual([7]);
  cluster.pass(4_000);
  expect(online(b, 7)).toEqual([]);
});

it('does not give other servers up after its process was paused', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  b.takeEvents();
  b.isPaused = true;
  cluster.pass(MINUTE);
  b.isPaused = false;
  cluster.pass(2_000);
  expect(b.takeEvents()).toEqual(['revived']);
  expect(online(b, 7)).toEqual([7]);
});

it('does not give other servers up after a pause when its own report is the first that arrives', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  b.isPaused = true;
  cluster.pass(MINUTE);
  b.isPaused = false;
  b.sessions.echo(() => null);
  cluster.pass(2_000);
  expect(online(b, 7)).toEqual([7]);
  expect(b.telemetry.counts.get('servers_given_up')).toBeUndefined();
});

it('is returning after a pause until the report that it then sent comes back, and not by an older one', () => {
  const { cluster, b } = twoServers();
  cluster.pass(2_500);
  b.isPaused = true;
  cluster.pass(MINUTE);
  b.isPaused = false;
  b.isDeaf = true;
  const older = b.sent.at(-1);
  expect(older).toBeDefined();
  expect(b.sessions.isReturning).toBe(false);
  cluster.pass(500);
  expect(b.sessions.isReturning).toBe(true);
  b.sessions.echo(() => older ?? null);
  expect(b.sessions.isReturning).toBe(true);
  b.isDeaf = false;
  cluster.pass(2_500);
  expect(b.sessions.isReturning).toBe(false);
});

it('ends its return after 30 s although the bus brings nothing', () => {
  const { cluster, b } = twoServers();
  b.isPaused = true;
  cluster.pass(MINUTE);
  b.isPaused = false;
  b.isDeaf = true;
  cluster.pass(29_000);
  expect(b.sessions.isReturning).toBe(true);
  cluster.pass(3_000);
  expect(b.sessions.isReturning).toBe(false);
});

it('reports all of its sessions after its process was paused for longer than 5 s', () => {
  const { cluster, a } = twoServers();
  a.isPaused = true;
  cluster.pass(6_000);
  a.isPaused = false;
  cluster.pass(100);
  expect(a.takeEvents()).toEqual(['revived']);
  expect(a.takeSent()).toEqual(['roster']);
});

it('does not treat a pause of 4 s as an absence', () => {
  const { cluster, a } = twoServers();
  a.isPaused = true;
  cluster.pass(4_000);
  a.isPaused = false;
  cluster.pass(1_000);
  expect(a.takeEvents()).toEqual([]);
  expect(a.takeSent()).not.toContain('roster');
});

it('counts the sessions of a server again when it returns after it was given up', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  a.isPaused = true;
  cluster.pass(15_000);
  expect(online(b, 7)).toEqual([]);
  b.takeEvents();
  a.isPaused = false;
  cluster.pass(300);
  expect(b.takeEvents()).toEqual(['online 7 elsewhere']);
});

it('asks for all sessions when a report was lost, and then counts them all', () => {
  const { cluster, a, b } = twoServers();
  cluster.loses = ({ type }, to) => to === b && type === 'delta';
  a.sessions.join('s1', 7);
  cluster.pass(300);
  expect(online(b, 7)).toEqual([]);
  b.takeSent();
  cluster.pass(2_500);
  expect(b.takeSent()).toContain('hello');
  expect(a.takeSent()).toContain('roster');
  expect(online(b, 7)).toEqual([7]);
});

it('does not apply a report that follows a lost one', () => {
  const { b } = twoServers();
  b.sessions.heard(part(1, 1, 1, 7));
  b.sessions.heard(report({ version: 3, joined: [entry(8)], left: ['s7'] }));
  expect(online(b, 7, 8)).toEqual([7]);
});

it('asks at most once a second, however many reports are missing', () => {
  const { cluster, b } = twoServers();
  b.sessions.heard(part(1, 1, 1, 7));
  for (let version = 3; version < 13; version += 1) b.sessions.heard(report({ version }));
  expect(b.takeSent()).toEqual(['hello']);
  cluster.pass(1_000);
  b.takeSent();
  b.sessions.heard(report({ version: 20 }));
  expect(b.takeSent()).toEqual(['hello']);
});

it('asks for all sessions when a report is missing, also in the first second after the start', () => {
  const cluster = new SessionCluster();
  const b = cluster.start('b');
  b.takeSent();
  b.sessions.heard(report({ version: 20 }));
  expect(b.takeSent()).toEqual(['hello']);
});

it('answers a server that asks with one report of all of its sessions, new ones included', () => {
  const { cluster, a } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  a.takeSent();
  const c = cluster.start('c');
  a.sessions.join('s2', 8);
  cluster.pass(600);
  expect(a.takeSent()).toEqual(['roster']);
  expect(online(c, 7, 8)).toEqual([7, 8]);
});

it('ignores a report that arrives a second time', () => {
  const { b } = twoServers();
  const began = report({ version: 2, joined: [entry(7)] });
  const ended = report({ version: 3, left: ['s7'] });
  b.sessions.heard(part(1, 1, 1));
  for (const each of [began, began, ended, began]) b.sessions.heard(each);
  expect(b.takeEvents()).toEqual(['online 7 elsewhere', 'offline 7 none']);
  expect(b.takeSent()).toEqual([]);
});

it('ignores a whole report that arrives a second time', () => {
  const { b } = twoServers();
  for (let times = 0; times < 2; times += 1) {
    b.sessions.heard(part(1, 1, 2, 7));
    b.sessions.heard(part(1, 2, 2, 8));
  }
  expect(b.takeEvents()).toEqual(['online 7 elsewhere', 'online 8 elsewhere']);
});

it('sends 2,500 sessions in three parts and counts them when all parts have arrived', () => {
  const { cluster, a, b } = twoServers();
  cluster.loses = ({ type }, to) => to === b && type === 'delta';
  for (let userId = 1; userId <= 2_500; userId += 1) a.sessions.join(`s${userId}`, userId);
  cluster.pass(300);
  cluster.loses = () => false;
  const c = cluster.start('c');
  a.sent.splice(0);
  cluster.pass(300);
  expect(a.sent.map(({ part: number, parts, joined }) => [number, parts, joined.length])).toEqual([
    [1, 3, 1_000],
    [2, 3, 1_000],
    [3, 3, 500],
  ]);
  expect(c.takeEvents()).toHaveLength(2_500);
  expect(online(b, 1, 1_000, 2_500)).toEqual([1, 1_000, 2_500]);
});

it('sends more than 1,000 changes in several reports with versions of their own', () => {
  const { cluster, a, b } = twoServers();
  for (let userId = 1; userId <= 1_500; userId += 1) a.sessions.join(`s${userId}`, userId);
  cluster.pass(300);
  expect(a.takeSent()).toEqual(['delta', 'delta']);
  expect(b.takeEvents()).toHaveLength(1_500);
});

it('counts nothing of a whole report before its last part', () => {
  const { b } = twoServers();
  b.sessions.heard(part(1, 1, 3, 7));
  b.sessions.heard(part(1, 2, 3, 8));
  expect(online(b, 7, 8)).toEqual([]);
  b.sessions.heard(part(1, 3, 3, 9));
  expect(online(b, 7, 8, 9)).toEqual([7, 8, 9]);
});

it('asks again when a part of a whole report is missing, and counts nothing of that report', () => {
  const { b } = twoServers();
  b.sessions.heard(part(1, 1, 3, 7));
  b.sessions.heard(part(1, 3, 3, 9));
  expect(b.takeSent()).toEqual(['hello']);
  expect(online(b, 7, 9)).toEqual([]);
});

it('starts over when a new whole report begins before the last one was complete', () => {
  const { b } = twoServers();
  b.sessions.heard(part(1, 1, 2, 7));
  b.sessions.heard(part(2, 1, 2, 8));
  b.sessions.heard(part(2, 2, 2, 9));
  expect(online(b, 7, 8, 9)).toEqual([8, 9]);
  expect(b.takeSent()).toEqual([]);
});

it('ends the sessions that a whole report does not hold', () => {
  const { b } = twoServers();
  b.sessions.heard(part(1, 1, 1, 7, 8));
  b.takeEvents();
  b.sessions.heard(part(2, 1, 1, 8));
  expect(b.takeEvents()).toEqual(['offline 7 none']);
});

it('makes one server responsible and the other the fallback when the last two sessions of a user end at the same time', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  b.sessions.join('s2', 7);
  cluster.pass(300);
  a.takeEvents();
  b.takeEvents();
  a.sessions.leave('s1');
  b.sessions.leave('s2');
  expect([a.takeEvents(), b.takeEvents()]).toEqual([[], []]);
  cluster.pass(300);
  expect([a.takeEvents(), b.takeEvents()]).toEqual([['offline 7 own'], ['offline 7 fallback']]);
});

it('lets the other server announce a user as offline if the session here ended more than 5 s earlier', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  b.sessions.join('s2', 7);
  cluster.pass(300);
  a.takeEvents();
  a.sessions.leave('s1');
  cluster.pass(6_000);
  b.sessions.leave('s2');
  cluster.pass(300);
  expect(a.takeEvents()).toEqual(['offline 7 none']);
});

it('ends no session when the wall clock of a server jumps forward', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  b.takeEvents();
  b.clock.jump(HOUR);
  cluster.pass(MINUTE);
  expect(b.takeEvents().filter((event) => event !== 'revived')).toEqual([]);
  expect(online(b, 7)).toEqual([7]);
});

it('goes on reporting when its wall clock jumps back', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  b.takeEvents();
  a.clock.jump(-HOUR);
  a.takeSent();
  cluster.pass(MINUTE);
  expect(a.takeSent()).toContain('alive');
  expect(b.takeEvents()).toEqual([]);
});

it('gives a silent server up after 10 s although the wall clock jumped back', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  cluster.pass(300);
  cluster.kill(a);
  b.clock.jump(-HOUR);
  cluster.pass(13_000);
  expect(online(b, 7)).toEqual([]);
});

it('reports all of its sessions after its machine was suspended, which only the wall clock shows', () => {
  const { cluster, a } = twoServers();
  a.clock.jump(MINUTE);
  cluster.pass(300);
  expect(a.takeEvents()).toEqual(['revived']);
  expect(a.takeSent()).toEqual(['roster']);
});

it('ends the sessions of a former process when a server has been restarted', () => {
  const { b } = twoServers();
  b.sessions.heard(part(5, 1, 1, 7, 8));
  b.takeEvents();
  b.sessions.heard({ ...part(1, 1, 1, 8), epoch: 2 });
  expect(b.takeEvents()).toEqual(['offline 7 none', 'offline 8 none', 'online 8 elsewhere']);
  expect(b.telemetry.counts.get('servers_given_up')).toBe(1);
});

it("ends the sessions of a restarted server's former process if this server has the smallest id", () => {
  const { a } = twoServers();
  a.sessions.heard(part(5, 1, 1, 7));
  a.takeEvents();
  a.sessions.heard(report({ type: 'hello', version: 0, epoch: 2 }));
  expect(a.takeEvents()).toEqual(['orphaned s7', 'offline 7 own']);
});

it('ignores a late report of a former process of a restarted server', () => {
  const { b } = twoServers();
  b.sessions.heard({ ...part(1, 1, 1, 8), epoch: 2 });
  b.sessions.heard(report({ version: 2, joined: [entry(7)] }));
  b.sessions.heard(part(9, 1, 1, 7));
  b.sessions.heard(report({ type: 'bye', version: 10 }));
  expect(online(b, 7, 8)).toEqual([8]);
});

it('ends the sessions of a server that stops at once, without reporting orphans', async () => {
  const { cluster, a, b } = twoServers();
  b.sessions.join('s1', 7);
  cluster.pass(300);
  a.takeEvents();
  await b.sessions.stop();
  cluster.pass(50);
  expect(a.takeEvents()).toEqual(['offline 7 own']);
  expect(a.telemetry.counts.get('servers_given_up')).toBeUndefined();
  expect(a.sessions.isAlone).toBe(true);
});

it('sends nothing after it was stopped', async () => {
  const { cluster, a } = twoServers();
  a.sessions.join('s1', 7);
  await a.sessions.stop();
  cluster.pass(MINUTE);
  expect(a.takeSent()).toEqual(['bye']);
});

it('leaves the orphans of a dead server to the survivor with the smallest id', () => {
  const cluster = new SessionCluster();
  const [a, b, c, d] = cluster.startAll('a', 'b', 'c', 'd') as [
    SessionServer,
    SessionServer,
    SessionServer,
    SessionServer,
  ];
  c.sessions.join('s1', 7);
  cluster.pass(300);
  for (const server of [a, b, d]) server.takeEvents();
  cluster.kill(c);
  cluster.pass(13_000);
  expect(a.takeEvents()).toEqual(['orphaned s1', 'offline 7 own']);
  expect(b.takeEvents()).toEqual(['offline 7 none']);
  expect(d.takeEvents()).toEqual(['offline 7 none']);
});

it('reports orphans itself when the server with the smallest id is the one that died', () => {
  const cluster = new SessionCluster();
  const [a, b, c] = cluster.startAll('a', 'b', 'c') as [SessionServer, SessionServer, SessionServer];
  a.sessions.join('s1', 7);
  cluster.pass(300);
  for (const server of [b, c]) server.takeEvents();
  cluster.kill(a);
  cluster.pass(13_000);
  expect(b.takeEvents()).toEqual(['orphaned s1', 'offline 7 own']);
  expect(c.takeEvents()).toEqual(['offline 7 none']);
});

it('keeps a user online who has a session here when the server with their other session dies', () => {
  const { cluster, a, b } = twoServers();
  a.sessions.join('s1', 7);
  b.sessions.join('s2', 7);
  cluster.pass(300);
  b.takeEvents();
  cluster.kill(a);
  cluster.pass(13_000);
  expect(b.takeEvents()).toEqual(['orphaned s1']);
  expect(online(b, 7)).toEqual([7]);
});

it('notices a lost report although the next record is a hello', () => {
  const { b } = twoServers();
  b.sessions.heard(part(1, 1, 1));
  b.sessions.heard(report({ type: 'hello', version: 2 }));
  expect(b.takeSent()).toEqual(['hello']);
  b.sessions.heard(report({ version: 3, joined: [entry(8)] }));
  expect(online(b, 8)).toEqual([]);
});

it('does not ask a server that starts for the report which that server has just sent', () => {
  const { cluster, a } = twoServers();
  cluster.start('c');
  cluster.pass(300);
  expect(a.takeSent()).not.toContain('hello');
});

it('does not mix the parts of two whole reports', () => {
  const { b } = twoServers();
  b.sessions.heard(part(1, 1, 2, 7));
  b.sessions.heard(part(2, 2, 2, 9));
  expect(b.takeSent()).toEqual(['hello']);
  expect(online(b, 7, 9)).toEqual([]);
});

it.each([
  ['a', 'c'],
  ['c', 'a'],
])('ends the sessions of two servers that die together, whose leases expire in the order %s, %s', (first, second) => {
  const cluster = new SessionCluster();
  const [one, other, b] = cluster.startAll(first, second, 'b') as [SessionServer, SessionServer, SessionServer];
  one.sessions.join(`s-${one.id}`, 7);
  cluster.pass(300);
  other.sessions.join(`s-${other.id}`, 8);
  cluster.pass(300);
  b.takeEvents();
  cluster.kill(one);
  cluster.kill(other);
  cluster.pass(13_000);
  const events = b.takeEvents();
  expect(events).toContain('orphaned s-a');
  expect(events).toContain('orphaned s-c');
  expect(events).toContain('offline 7 own');
  expect(events).toContain('offline 8 own');
});

it('leaves a dead server to a successor that lives on, also when the successor dies later', () => {
  const cluster = new SessionCluster();
  const [a, b, c] = cluster.startAll('a', 'b', 'c') as [SessionServer, SessionServer, SessionServer];
  c.sessions.join('s1', 7);
  cluster.pass(300);
  cluster.kill(c);
  cluster.pass(18_000);
  b.takeEvents();
  cluster.kill(a);
  cluster.pass(13_000);
  expect(b.takeEvents()).toEqual([]);
});

it('does not announce a user of a dead server who has returned before the successor died', () => {
  const cluster = new SessionCluster();
  const [c, a, b] = cluster.startAll('c', 'a', 'b') as [SessionServer, SessionServer, SessionServer];
  c.sessions.join('s1', 7);
  cluster.pass(300);
  a.sessions.join('s3', 9);
  cluster.pass(300);
  cluster.kill(c);
  cluster.kill(a);
  cluster.pass(9_000);
  b.sessions.join('s2', 7);
  b.takeEvents();
  cluster.pass(5_000);
  expect(b.takeEvents()).toEqual(['orphaned s3', 'offline 9 own', 'orphaned s1']);
});
