import { expect, it } from 'vitest';
import { decideBatch } from '../../../../src/application/ordering/decide-batch.ts';
import type { Proposal } from '../../../../src/application/ordering/proposal.ts';
import { Refusal } from '../../../../src/domain/errors.ts';
import { NO_FILE_FACTS } from '../../../../src/domain/file.ts';
import type { Message } from '../../../../src/domain/message.ts';
import { deleted, edited, said } from '../../../contracts/world.ts';

const FIRST = said('r-1', 'first');
const MESSAGE: Message = {
  id: FIRST.id,
  place: 'r-1',
  communityId: null,
  seq: 1,
  userId: 1,
  name: 'Ada',
  profileImage: null,
  content: 'first',
  thumbnail: null,
  type: null,
  parentId: null,
  time: 0,
  edited: false,
  nonce: null,
  ...NO_FILE_FACTS,
};

function entry(decide: Proposal['decide'], target: string | null = FIRST.id) {
  const proposal: Proposal = { place: 'r-1', userId: 1, nonce: null, target, kind: 'modify', decide };
  return { proposal };
}

const stored = () => new Map([[MESSAGE.id, MESSAGE]]);

it('shows each proposal the target as the accepted ones before it leave it', () => {
  const seen: (string | null | undefined)[] = [];
  const look = (target: Message | undefined) => {
    seen.push(target?.content);
    return said('r-1', 'another');
  };
  decideBatch(
    [entry(look), entry(() => edited(FIRST, 'second')), entry(look), entry(() => deleted(FIRST)), entry(look)],
    stored(),
  );
  expect(seen).toEqual(['first', 'second', undefined]);
});

it('marks an edited target as edited', () => {
  let isEdited: boolean | undefined;
  const look = (target: Message | undefined) => {
    isEdited = target?.edited;
    return said('r-1', 'another');
  };
  decideBatch([entry(() => edited(FIRST, 'second')), entry(look)], stored());
  expect(isEdited).toBe(true);
});

it('leaves out what is refused, and goes on behind it', () => {
  const no = entry(() => {
    throw new Refusal('not-the-author', 'no');
  });
  const defect = entry(() => {
    throw new Error('a defect');
  });
  const yes = entry(() => said('r-1', 'yes'), null);
  const { entries, drafts, refused } = decideBatch([no, yes, defect], stored());
  expect([entries, drafts.length]).toEqual([[yes], 1]);
  expect(refused.map(({ refusal }) => refusal.code)).toEqual(['not-the-author', 'internal']);
});
