import { expect, it } from 'vitest';
import { encodeRecord } from '../../../src/adapters/records/record-codec.ts';
import type { SessionsReport } from '../../../src/domain/cluster-event.ts';

it('writes a report of sessions in the JSON that servers of every version read', () => {
  const report: SessionsReport = {
    kind: 'roster',
    server: 'one',
    epoch: 1_795_363_775_642,
    version: 7,
    type: 'roster',
    joined: [{ sessionId: 's1', userId: 1 }],
    left: [],
    part: 1,
    parts: 2,
  };
  const blank = '"typeForExit":null,"userId":null,"state":null,"communityId":null,"channelId":null,"ids":null';
  expect(encodeRecord({ event: report }, 'one').value).toBe(
    `{"type":"roster",${blank},"roster":{"server":"one","epoch":1795363775642,"version":7,` +
      '"what":"roster","joined":[{"sessionId":"s1","userId":1}],"left":[],"part":1,"parts":2}}',
  );
});
