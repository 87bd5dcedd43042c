import { startCluster } from '../../dev/cluster/cluster.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { SERVICE_ENV, SERVICE_WORLD, serviceSuite } from './service-suite.ts';

await describeWithService(['kafka', 'mongo', 'redis'], 'the service API of three servers', () => {
  serviceSuite(async () => {
    const cluster = await startCluster({ env: SERVICE_ENV, directory: SERVICE_WORLD });
    const { servers, token, stop } = cluster;
    return { servers, token, stop };
  });
});
