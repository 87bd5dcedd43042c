import { clientOf, databaseNameOf, refuseStandalone } from './database.ts';

export interface MongoFacts {
  readonly version: string;
  /** Null behind mongos. */
  readonly replicaSet: string | null;
  readonly database: string;
}

/**
 * Asks MongoDB about itself, and reads from the event log. Changes nothing.
 * @throws Error with a human-readable message if no primary answers within 3 s, if the server is
 * not a replica set, or if the user may not read
 */
export async function inspectMongo(url: string): Promise<MongoFacts> {
  await using client = clientOf(url);
  await client.connect();
  await refuseStandalone(client);
  const db = client.db(databaseNameOf(url));
  const { setName = null } = await db.command({ hello: 1 });
  const { version } = await db.command({ buildInfo: 1 });
  await db.collection('event').findOne({}, { projection: { _id: 1 } });
  return { version: String(version), replicaSet: setName, database: db.databaseName };
}
