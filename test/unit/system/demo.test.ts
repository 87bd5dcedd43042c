import { expect, it } from 'vitest';
import { JwtTokenIssuer } from '../../../src/adapters/jwt/token-issuer.ts';
import { JwtTokenVerifier } from '../../../src/adapters/jwt/token-verifier.ts';
import { MemoryDirectory } from '../../../src/adapters/memory/directory.ts';
import type { DirectoryFile } from '../../../src/adapters/memory/directory-file.ts';
import { createDemo } from '../../../src/bootstrap/demo/demo.ts';

const KEYS = { secrets: ['a secret of thirty-two characters'], encoding: 'utf8' } as const;
const verifier = new JwtTokenVerifier(KEYS);

const demoOf = (world: DirectoryFile) => createDemo(new JwtTokenIssuer(KEYS), new MemoryDirectory({ world }));

it('issues a token with the name of a demo user', () => {
  const demo = demoOf({ users: { 1: { name: 'Ada', image: null } } });
  expect(verifier.verify(demo.issueToken(1))).toMatchObject({ userId: 1, account: 'Ada' });
});

it('refuses a user who is not in the directory, and names them', () => {
  const demo = demoOf({ users: { 1: { name: 'Ada', image: null } } });
  expect(() => demo.issueToken(2)).toThrow('there is no demo user 2');
});

it('issues a token for every user when the directory knows no users', () => {
  expect(verifier.verify(demoOf({}).issueToken(7))).toMatchObject({ userId: 7, account: 'user7' });
});

it('lists the users and places of the directory', () => {
  const demo = demoOf({
    users: { 1: { name: 'Ada', image: 'a.png' } },
    rooms: { 5: [1] },
    communities: {
      1: { name: 'Team', members: [1], channels: { 11: null, 12: [1] }, channelNames: { 11: 'general' } },
    },
  });
  expect(demo.demoWorld()).toEqual({
    users: [{ id: 1, name: 'Ada', image: 'a.png' }],
    rooms: [{ id: 5, members: [1] }],
    communities: [
      {
        id: 1,
        name: 'Team',
        members: [1],
        channels: [
          { id: 11, name: 'general', members: null },
          { id: 12, name: null, members: [1] },
        ],
      },
    ],
  });
});
