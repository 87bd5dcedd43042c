import { Connection, describeQuorumV2 } from '@platformatic/kafka';

/** Partition in which the controllers of KRaft agree. */
const QUORUM = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];

/**
 * Returns the id of the node whose controller is active. The metadata that clients read names any
 * broker instead.
 * @param brokers `host:port` of brokers without TLS and login; the first that answers counts
 */
export async function activeController(brokers: readonly string[]): Promise<number> {
  let failure: unknown;
  for (const broker of brokers) {
    const connection = new Connection('quorum');
    // The library reports a failed connection twice.
    connection.on('error', () => {});
    try {
      const [host = '', port] = broker.split(':');
      await connection.connect(host, Number(port));
      const { topics } = await describeQuorumV2.api.async(connection, QUORUM);
      const leader = topics[0]?.partitions[0]?.leaderId;
      if (leader !== undefined && leader > 0) return leader;
    } catch (error) {
      failure = error;
    } finally {
      connection.close().catch(() => {});
    }
  }
  throw new Error('no broker names the active controller', { cause: failure });
}
