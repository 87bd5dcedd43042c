import { describe } from 'vitest';
import { SERVICE_ENV, SERVICE_WORLD, serviceSuite } from './service-suite.ts';
import { startSystem } from './system.ts';

describe('the service API of an embedded server', () => {
  serviceSuite(async () => {
    const { server, token, stop } = await startSystem(SERVICE_ENV, SERVICE_WORLD);
    return { servers: [server], token, stop };
  });
});
