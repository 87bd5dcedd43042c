import { startCluster } from '../../dev/cluster/cluster.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { REMOVAL_ENV, REMOVAL_WORLD, removalSuite } from './removal-suite.ts';

await describeWithService(['kafka', 'mongo', 'redis'], 'the removal of a member, on Kafka, MongoDB and Redis', () => {
  removalSuite(async () => {
    const cluster = await startCluster({ env: REMOVAL_ENV, directory: REMOVAL_WORLD });
    return {
      urls: cluster.servers.map(({ url }) => url),
      token: cluster.token,
      replaceDirectory: (world) => cluster.standIns.now.replaceDirectory(world),
      stop: cluster.stop,
    };
  });
});
