import { it } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { expectCalmUpgrade } from './upgrade-suite.ts';

await describeWithService(['kafka', 'mongo', 'redis'], 'a rolling upgrade', () => {
  it('loses nothing for 200 clients, and gives no server more than its share of the reconnects', {
    timeout: 180_000,
  }, async () => {
    await expectCalmUpgrade({ clients: 200, rooms: 20, rate: 20, drainSeconds: 5 });
  });
});
