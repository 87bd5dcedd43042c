import type { Collection } from 'mongodb';
import type { MongoDatabase } from './database.ts';

interface MigrationDocument {
  readonly _id: 'first-generation';
  /** When a server first ran beside an original one. */
  readonly since: Date;
  /** When places were last numbered for the change. */
  readonly numbering?: Date;
}

/**
 * The mark that original servers ran beside these servers, so that some of their messages may have
 * no number. Numbering all places after they are off removes it.
 */
export class ChangeOverMark {
  readonly #marks: Collection<MigrationDocument>;

  constructor(db: Pick<MongoDatabase, 'collection'>) {
    this.#marks = db.collection<MigrationDocument>('migration');
  }

  async set(): Promise<void> {
    const update = { $setOnInsert: { since: new Date() } };
    await this.#marks.updateOne({ _id: 'first-generation' }, update, { upsert: true });
  }

  /** Notes that places are being numbered. */
  async touch(): Promise<void> {
    await this.#marks.updateOne({ _id: 'first-generation' }, { $set: { numbering: new Date() } });
  }

  async remove(): Promise<void> {
    await this.#marks.deleteOne({ _id: 'first-generation' });
  }

  /** When it began; null if there is no mark. */
  async since(): Promise<Date | null> {
    return (await this.#marks.findOne({ _id: 'first-generation' }))?.since ?? null;
  }
}
