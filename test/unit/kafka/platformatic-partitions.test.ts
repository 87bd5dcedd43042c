import { compatibilityPartitioner } from '@platformatic/kafka';
import { Partitioners } from 'kafkajs';
import { expect, it } from 'vitest';

it('the partitioner of @platformatic/kafka puts a key into the same partition as that of kafkajs', () => {
  const partitions = 6;
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
  const kafkajs = Partitioners.DefaultPartitioner();
  for (let id = 0; id < 200; id += 1) {
    const key = `c-${id}`;
    const message = { key, value: '' };
    const expected = kafkajs({ topic: 't', partitionMetadata, message });
    expect(compatibilityPartitioner({ topic: 't' }, Buffer.from(key)) % partitions).toBe(expected);
  }
});
