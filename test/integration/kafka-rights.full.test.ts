import { afterAll, beforeAll, describe } from 'vitest';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { messageBusContract } from '../contracts/message-bus.ts';
import { KAFKA_CLIENTS, type RestrictedKafka, startRestrictedKafka } from '../support/restricted-kafka.ts';

await describeWithOwnService('kafka', 'with the documented rights of Kafka and no others', () => {
  let kafka: RestrictedKafka;
  beforeAll(async () => {
    kafka = await startRestrictedKafka();
  });
  afterAll(() => kafka?.stop());

  for (const client of KAFKA_CLIENTS) {
    describe(`on the client ${client}`, () => {
      const elsewhere = 'the suite of the bus has this case';
      messageBusContract(
        () => ({ open: (serverId) => kafka.open(client, 'complete', serverId), tooLargeContent: 1_500_000 }),
        { cannotHoldGarbage: elsewhere, losesWhileDisconnected: elsewhere, cannotBeStopped: elsewhere },
      );
    });
  }
});
