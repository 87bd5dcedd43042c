import { startStandIns } from '../../neighbours/stand-ins/server.ts';
import { NoNotifier } from '../../src/adapters/memory/no-notifier.ts';
import { RestNotifier } from '../../src/adapters/rest/notifier.ts';
import { RestService } from '../../src/adapters/rest/rest-service.ts';
import { notifierContract } from './notifier.ts';

notifierContract('that notifies nobody', async () => ({ notifier: new NoNotifier(), stop: async () => {} }));

notifierContract('over REST', async () => {
  const services = await startStandIns();
  const service = new RestService({ name: 'the notification service', url: services.notificationUrl });
  const stop = async () => {
    await service.close();
    await services.stop();
  };
  return { notifier: new RestNotifier(service), arrived: services.notifications, stop };
});
