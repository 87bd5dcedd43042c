import { compatibilityPartitioner } from '@platformatic/kafka';
import { Partitioners } from 'kafkajs';
import { expect, it } from 'vitest';
import { partitionOf } from '../../../src/adapters/kafka/partition-of.ts';

it('a key has the same partition as with the partitioners of both client libraries', () => {
  const partitions = 7;
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
  const kafkajs = Partitioners.DefaultPartitioner();
  const keys = ['', 'é', '고양이', 'u-1234567', ...Array.from({ length: 200 }, (_, id) => `c-${id}`)];
  for (const key of keys) {
    const expected = kafkajs({ topic: 't', partitionMetadata, message: { key: Buffer.from(key), value: '' } });
    expect(partitionOf(key, partitions)).toBe(expected);
    expect(compatibilityPartitioner({ topic: 't' }, Buffer.from(key)) % partitions).toBe(expected);
  }
});
