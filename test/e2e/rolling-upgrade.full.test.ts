import { it } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { expectCalmUpgrade } from './upgrade-suite.ts';

await describeWithService(['kafka', 'mongo', 'redis'], 'a rolling upgrade', () => {
  it('loses nothing for 2,000 clients, and gives no server more than its share of the reconnects', async () => {
    const progress = (line: string) => process.stderr.write(`${line}\n`);
    await expectCalmUpgrade({ clients: 2_000, rooms: 100, rate: 50, drainSeconds: 30, progress });
  });
});
