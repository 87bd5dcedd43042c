import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import jsonwebtoken from 'jsonwebtoken';
import { expect, it, onTestFinished, vi } from 'vitest';
import { check, type FinalEvent, type LoggedEvent, type RunRecord } from '../../dev/durability/checker.ts';
import { FaultProxy } from '../../dev/fault-proxy.ts';
import { ServerProcess } from '../../dev/server-process.ts';
import { StompClient } from '../../dev/stomp-client.ts';
import { HistoryReader, wholeLog } from '../../dev/storm/ending.ts';
import { PackagePerson } from '../../dev/storm/package-person.ts';
import type { StormPlace } from '../../dev/storm/people.ts';

const CLIENTS = 50;
const PLACES: readonly StormPlace[] = ['r-1', 'r-2', 'r-3', 'c-11', 'c-12'];

it(`shows ${CLIENTS} applications nothing lost, twice or out of order while the server and the line are harmed`, async () => {
  const secret = randomBytes(48).toString('base64');
  const users = Array.from({ length: CLIENTS + 1 }, (_, i) => i + 1);
  const folder = await mkdtemp(join(tmpdir(), 'client-storm-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'directory.json');
  const community = { members: users, channels: { 11: null, 12: null } };
  await writeFile(
    file,
    JSON.stringify({ users: {}, rooms: { 1: users, 2: users, 3: users }, communities: { 1: community } }),
  );
  const server = await ServerProcess.start({
    env: { JWT_SECRET: secret, LIMITS: 'off', LIMIT_PAGE_SIZE: '1000', DIRECTORY_FILE: file },
  });
  onTestFinished(() => server.dispose());
  const proxy = await FaultProxy.start({ target: server.port });
  onTestFinished(() => proxy.stop());
  const records: RunRecord[] = [];
  const surprises: string[] = [];
  const token = (id: number) =>
    jsonwebtoken.sign({ id }, Buffer.from(secret, 'base64'), { subject: `user${id}`, expiresIn: 600 });
  const world = {
    random: Math.random,
    record: (record: RunRecord) => void records.push(record),
    surprise: (what: string) => void surprises.push(what),
    urls: [server.url, `http://127.0.0.1:${proxy.port}`],
    token,
  };
  const people = users.slice(0, CLIENTS).map(
    (id) =>
      new PackagePerson(
        world,
        id,
        PLACES.filter((_, i) => (i + id) % 5 < 3),
        'storm',
      ),
  );
  for (const person of people) person.start();
  onTestFinished(() => {
    for (const person of people) person.stop();
  });
  const any = () => people[Math.floor(Math.random() * people.length)];
  const talking = setInterval(() => any()?.speak(), 10);
  const cutting = setInterval(() => any()?.cut(), 100);
  await delay(2_000);
  await server.kill();
  await server.restart();
  await delay(1_000);
  await proxy.setMode('hang');
  await delay(1_000);
  proxy.cut();
  await proxy.setMode('slow');
  await delay(1_000);
  await proxy.setMode('pass');
  clearInterval(talking);
  clearInterval(cutting);

  const reader = new HistoryReader(server.url, token(CLIENTS + 1));
  await vi.waitFor(() => expect(people.reduce((all, { open }) => all + open, 0)).toBe(0), {
    timeout: 40_000,
    interval: 50,
  });
  const newest = new Map<StormPlace, number>();
  for (const place of PLACES) newest.set(place, await reader.newest(place));
  await vi.waitFor(
    () => {
      for (const { isLive, last } of people) {
        expect(isLive).toBe(true);
        for (const [place, seq] of last) expect(seq).toBe(newest.get(place));
      }
    },
    { timeout: 40_000, interval: 50 },
  );
  const history = new Map<string, FinalEvent[]>();
  const log = new Map<string, LoggedEvent[]>();
  const connect = () => StompClient.connect({ url: server.url, token: token(CLIENTS + 1) });
  for (const place of PLACES) {
    history.set(place, await reader.forwards(place));
    log.set(place, await wholeLog(connect, place));
  }
  for (const person of people) person.compare(history, log);
  const verdict = check({ records, history, log, newest, complete: new Set(people.map(({ name }) => name)) });
  expect({ findings: verdict.findings, surprises, resets: verdict.resets }).toEqual({
    findings: [],
    surprises: [],
    resets: 0,
  });
  expect(verdict.acknowledged).toBeGreaterThan(100);
  expect(people.reduce((all, { reconnects }) => all + reconnects, 0)).toBeGreaterThan(50);
  expect(people.reduce((all, { reloads }) => all + reloads, 0)).toBeGreaterThan(0);
}, 120_000);
