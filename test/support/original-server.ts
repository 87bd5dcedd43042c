import { type Collection, type Document, Long, MongoClient, ObjectId } from 'mongodb';
import { Kafka, Partitioners, type Producer } from '../../dev/services/kafkajs.ts';
import { type ConversationKey, idOf, isChannel } from '../../src/domain/place.ts';

const PACKAGE = 'com.example.chatserver.domain';

export interface OriginalServerOptions {
  readonly mongo: string;
  readonly database: string;
  /** Null: it saves, and publishes nothing, as if no other server ran. */
  readonly kafka: { readonly brokers: readonly string[]; topic(kind: string): string } | null;
  /** How far the zone of its clock is ahead of UTC, in hours. */
  readonly zone?: number;
}

/**
 * Imitates what the original server writes: its documents, saved whole, and its records, with the
 * fields and headers that were recorded from it. It writes to the collection first.
 */
export class OriginalServer {
  readonly #client: MongoClient;
  readonly #producer: Producer | null;
  readonly #options: OriginalServerOptions;

  static async start(options: OriginalServerOptions): Promise<OriginalServer> {
    const client = await new MongoClient(options.mongo).connect();
    const brokers = options.kafka?.brokers;
    const producer =
      brokers === undefined
        ? null
        : new Kafka({ brokers: [...brokers], clientId: 'original' }).producer({
            createPartitioner: Partitioners.DefaultPartitioner,
          });
    await producer?.connect();
    return new OriginalServer(client, producer, options);
  }

  private constructor(client: MongoClient, producer: Producer | null, options: OriginalServerOptions) {
    this.#client = client;
    this.#producer = producer;
    this.#options = options;
  }

  /** Returns the id of the message. */
  async send(place: ConversationKey, userId: number, content: string): Promise<string> {
    const doc = {
      _id: new ObjectId(),
      ...(isChannel(place) && { communityId: Long.fromNumber(1) }),
      channelId: Long.fromNumber(idOf(place)),
      userId: Long.fromNumber(userId),
      content,
      localDateTime: new Date(),
      name: `user${userId}`,
      profileImage: 'http://img/1.png',
    };
    await this.#messages(place).insertOne({ ...doc, _class: classOf(place) });
    await this.#publish(place, isChannel(place) ? 'CHANNEL' : 'DIRECT', doc, null);
    return doc._id.toHexString();
  }

  /**
   * Reads the message, sets its text, and saves it whole without the fields that it does not know.
   */
  async edit(place: ConversationKey, id: string, content: string): Promise<void> {
    const found = await this.#messages(place).findOne({ _id: new ObjectId(id) }, { promoteLongs: false });
    if (found === null) throw new Error('MESSAGE_NOT_FOUND');
    const { seq: _s, edited: _e, nonce: _n, file: _k, thumbnailFile: _t, ...others } = found;
    const { fileName: _f, fileSize: _z, width: _w, height: _h, ...known } = others;
    const doc = { ...known, content, _class: classOf(place) };
    await this.#messages(place).replaceOne({ _id: found._id }, doc);
    await this.#publish(place, isChannel(place) ? 'CHANNEL_ETC' : 'DIRECT_ETC', doc, 'modify');
  }

  async remove(place: ConversationKey, id: string): Promise<void> {
    const found = await this.#messages(place).findOneAndDelete({ _id: new ObjectId(id) }, { promoteLongs: false });
    if (found === null) throw new Error('MESSAGE_NOT_FOUND');
    await this.#publish(place, isChannel(place) ? 'CHANNEL_ETC' : 'DIRECT_ETC', found, 'delete');
  }

  async stop(): Promise<void> {
    await this.#producer?.disconnect();
    await this.#client.close();
  }

  #messages(place: ConversationKey): Collection<Document> {
    return this.#client.db(this.#options.database).collection(isChannel(place) ? 'channelMessage' : 'directMessage');
  }

  async #publish(place: ConversationKey, kind: string, doc: Document, type: 'modify' | 'delete' | null): Promise<void> {
    const { kafka } = this.#options;
    if (kafka === null || this.#producer === null) return;
    const value = {
      id: String(doc._id),
      ...(isChannel(place) && { communityId: Number(doc.communityId), categoryId: null }),
      channelId: Number(doc.channelId),
      userId: Number(doc.userId),
      parentId: null,
      content: type === 'delete' ? null : doc.content,
      thumbnail: null,
      localDateTime: this.#localTime(doc.localDateTime as Date),
      read: null,
      type,
      name: doc.name,
      profileImage: doc.profileImage,
      parentName: null,
      parentContent: null,
    };
    const headers = { __TypeId__: classOf(place) };
    await this.#producer.send({
      topic: kafka.topic(kind),
      messages: [{ key: null, value: JSON.stringify(value), headers }],
    });
  }

  #localTime(time: Date): number[] {
    const at = new Date(time.getTime() + (this.#options.zone ?? 0) * 3_600_000);
    const parts = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes()];
    return [...parts, at.getUTCSeconds(), at.getUTCMilliseconds() * 1_000_000];
  }
}

function classOf(place: ConversationKey): string {
  return `${PACKAGE}.${isChannel(place) ? 'ChannelMessage' : 'DirectMessage'}`;
}
