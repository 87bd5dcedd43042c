import { randomBytes } from 'node:crypto';
import { type Collection, type Document, Long, MongoClient, ObjectId } from 'mongodb';
import { Kafka, logLevel, Partitioners, type Producer } from '../../dev/services/kafkajs.ts';
import { type ConversationKey, idOf, isChannel } from '../../src/domain/place.ts';

const PACKAGE = 'com.example.chatserver';
const STREAMS = ['DIRECT', 'CHANNEL', 'DIRECT_ETC', 'CHANNEL_ETC', 'FILE', 'STATE'] as const;
type Stream = (typeof STREAMS)[number];

/** The types of state for which the original's listener has a case. */
const STATES: ReadonlySet<unknown> = new Set([
  'connect',
  'disconnect',
  'before-enter',
  'enter',
  'exit-community',
  'exit-room',
]);
/** The fields that the original stores. It removes all others when it saves a document. */
const FIELDS = [
  'communityId',
  'categoryId',
  'channelId',
  'userId',
  'parentId',
  'content',
  'thumbnail',
  'localDateTime',
  'read',
  'type',
  'name',
  'profileImage',
  'parentName',
  'parentContent',
];

export interface OriginalServerOptions {
  readonly mongo: string;
  readonly database: string;
  /** Null: it saves, and publishes nothing, as if no other server ran. */
  readonly kafka: { readonly brokers: readonly string[]; topic(kind: Stream): string } | null;
  /** How far the zone of its clock is ahead of UTC, in hours. */
  readonly zone?: number;
}

/** A record that the original's listener has shown to its clients. */
export type ShownRecord = Readonly<Record<string, unknown>>;

/**
 * Imitates what the original server writes: its documents, saved whole, and its records, with the
 * fields and headers that were recorded from it. It writes to the collection first. Its listener
 * takes the records that the original's takes.
 */
export class OriginalServer {
  readonly #client: MongoClient;
  readonly #kafka: Kafka | null;
  readonly #producer: Producer | null;
  readonly #options: OriginalServerOptions;
  #consumer: ReturnType<Kafka['consumer']> | null = null;

  static async start(options: OriginalServerOptions): Promise<OriginalServer> {
    const client = await new MongoClient(options.mongo).connect();
    const brokers = options.kafka?.brokers;
    const kafka =
      brokers === undefined
        ? null
        : new Kafka({ brokers: [...brokers], clientId: 'original', logLevel: logLevel.NOTHING });
    const producer = kafka?.producer({ createPartitioner: Partitioners.DefaultPartitioner }) ?? null;
    await producer?.connect();
    return new OriginalServer(client, kafka, producer, options);
  }

  private constructor(
    client: MongoClient,
    kafka: Kafka | null,
    producer: Producer | null,
    options: OriginalServerOptions,
  ) {
    this.#client = client;
    this.#kafka = kafka;
    this.#producer = producer;
    this.#options = options;
  }

  /**
   * The records that its clients see from now on. They grow. A type of state that it does not know
   * is not among them.
   */
  async listen(): Promise<readonly ShownRecord[]> {
    const { kafka } = this.#options;
    if (this.#kafka === null || kafka === null) throw new Error('it has no bus');
    const shown: ShownRecord[] = [];
    const consumer = this.#kafka.consumer({ groupId: `original-${randomBytes(4).toString('hex')}` });
    this.#consumer = consumer;
    await consumer.connect();
    await consumer.subscribe({ topics: STREAMS.map((stream) => kafka.topic(stream)), fromBeginning: false });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({
      eachMessage: async ({ topic, message }) => {
        const record = JSON.parse(String(message.value));
        if (topic !== kafka.topic('STATE') || STATES.has(record.type)) shown.push(record);
      },
    });
    await joined;
    return shown;
  }

  /** Returns the id of the message. */
  async send(place: ConversationKey, userId: number, content: string): Promise<string> {
    const doc = { ...this.#newDocument(place, userId), content, ...authorOf(userId) };
    await this.#messages(place).insertOne({ ...doc, _class: classOf(place) });
    await this.#publishMessage(place, isChannel(place) ? 'CHANNEL' : 'DIRECT', doc, null);
    return doc._id.toHexString();
  }

  /** Replies as its clients do: they send the name and the text of the parent. */
  async reply(place: ConversationKey, userId: number, content: string, parent: Document): Promise<string> {
    const { id: parentId, name: parentName, message: parentContent } = parent;
    const quote = { parentId, type: 'reply', parentName, parentContent };
    const doc = { ...this.#newDocument(place, userId), content, ...authorOf(userId), ...quote };
    await this.#messages(place).insertOne({ ...doc, _class: classOf(place) });
    await this.#publishMessage(place, isChannel(place) ? 'CHANNEL_ETC' : 'DIRECT_ETC', doc, 'reply');
    return doc._id.toHexString();
  }

  /** Shares an image that is in its bucket. The document has no name. */
  async share(place: ConversationKey, userId: number, url: string, thumbnail: string): Promise<string> {
    const doc = { ...this.#newDocument(place, userId), content: url, thumbnail, type: 'image' };
    await this.#messages(place).insertOne({ ...doc, _class: classOf(place) });
    const value = {
      id: doc._id.toHexString(),
      ...authorOf(userId),
      message: url,
      thumbnail,
      userId: String(userId),
      channelId: idOf(place),
      type: isChannel(place) ? 'community' : 'direct',
      fileType: 'image',
      time: this.#localTime(doc.localDateTime),
    };
    await this.#publish('FILE', 'dto.response.FileUploadResponse', value);
    return doc._id.toHexString();
  }

  /**
   * Reads the message, sets its text, and saves it whole without the fields that it does not know.
   */
  async edit(place: ConversationKey, id: string, content: string): Promise<void> {
    const found = await this.#found(place, id);
    const known = Object.entries(found).filter(([field]) => FIELDS.includes(field));
    const doc = { _id: found._id, ...Object.fromEntries(known), content, _class: classOf(place) };
    await this.#messages(place).replaceOne({ _id: doc._id }, doc);
    await this.#publishMessage(place, isChannel(place) ? 'CHANNEL_ETC' : 'DIRECT_ETC', doc, 'modify');
  }

  async remove(place: ConversationKey, id: string): Promise<void> {
    const found = await this.#found(place, id);
    await this.#messages(place).deleteOne({ _id: found._id });
    await this.#publishMessage(place, isChannel(place) ? 'CHANNEL_ETC' : 'DIRECT_ETC', found, 'delete');
  }

  /** Its history: by time, the oldest first. */
  history(place: ConversationKey): Promise<Document[]> {
    const channelId = Long.fromNumber(idOf(place));
    return this.#messages(place).find({ channelId }).sort({ localDateTime: 1 }).toArray();
  }

  /**
   * The message that it takes as the newest in its list of rooms: the last one without an order.
   */
  async newest(place: ConversationKey): Promise<Document | undefined> {
    const channelId = Long.fromNumber(idOf(place));
    return (await this.#messages(place).find({ channelId }).toArray()).at(-1);
  }

  /** The user looks at the place: it saves the whole map of times. */
  async look(place: ConversationKey, userId: number): Promise<void> {
    const times = this.#client.db(this.#options.database).collection('messageTime');
    const found = await times.findOne({ channelId: place });
    const read = { ...found?.read, [userId]: new Date() };
    const doc = { channelId: place, read, _class: `${PACKAGE}.domain.MessageTime` };
    if (found === null) await times.insertOne(doc);
    else await times.replaceOne({ _id: found._id }, doc);
  }

  /** Its `join-channel` adds a document for the place that the user left, also if there is one. */
  async leave(place: ConversationKey): Promise<void> {
    await this.#client.db(this.#options.database).collection('messageTime').insertOne({ channelId: place });
  }

  /** Its count of unread messages, which includes one's own: by the time of the last look. */
  async unread(place: ConversationKey, userId: number): Promise<number> {
    const times = this.#client.db(this.#options.database).collection('messageTime');
    const since = (await times.findOne({ channelId: place }))?.read?.[userId];
    if (since === undefined) return 0;
    const filter = { channelId: Long.fromNumber(idOf(place)), localDateTime: { $gt: since } };
    return this.#messages(place).countDocuments(filter);
  }

  async type(place: ConversationKey, name: string): Promise<void> {
    const doc = { channelId: idOf(place), content: name };
    await this.#publishMessage(place, isChannel(place) ? 'CHANNEL_ETC' : 'DIRECT_ETC', doc, 'typing');
  }

  /** Publishes a change of presence, voice or a call. Fields that are not given are null. */
  async tell(state: Readonly<Record<string, unknown>>): Promise<void> {
    const fields = ['type', 'typeForExit', 'userId', 'state', 'communityId', 'channelId', 'ids'];
    const value = Object.fromEntries(fields.map((field) => [field, state[field] ?? null]));
    await this.#publish('STATE', 'dto.request.StateRequest', value);
  }

  async stop(): Promise<void> {
    await this.#consumer?.disconnect();
    await this.#producer?.disconnect();
    await this.#client.close();
  }

  #newDocument(place: ConversationKey, userId: number) {
    return {
      _id: new ObjectId(),
      ...(isChannel(place) && { communityId: Long.fromNumber(1) }),
      channelId: Long.fromNumber(idOf(place)),
      userId: Long.fromNumber(userId),
      localDateTime: new Date(),
    };
  }

  async #found(place: ConversationKey, id: string): Promise<Document> {
    const found = await this.#messages(place).findOne({ _id: new ObjectId(id) }, { promoteLongs: false });
    if (found === null) throw new Error('MESSAGE_NOT_FOUND');
    return found;
  }

  #messages(place: ConversationKey): Collection<Document> {
    return this.#client.db(this.#options.database).collection(isChannel(place) ? 'channelMessage' : 'directMessage');
  }

  async #publishMessage(place: ConversationKey, stream: Stream, doc: Document, type: string | null): Promise<void> {
    const time = doc.localDateTime as Date | undefined;
    const value = {
      id: doc._id === undefined ? null : String(doc._id),
      ...(isChannel(place) && {
        communityId: doc.communityId === undefined ? null : Number(doc.communityId),
        categoryId: null,
      }),
      channelId: Number(doc.channelId),
      userId: doc.userId === undefined ? null : Number(doc.userId),
      parentId: doc.parentId ?? null,
      content: doc.content ?? null,
      thumbnail: doc.thumbnail ?? null,
      localDateTime: time === undefined ? null : this.#localTime(time),
      read: null,
      type,
      name: doc.name ?? null,
      profileImage: doc.profileImage ?? null,
      parentName: doc.parentName ?? null,
      parentContent: doc.parentContent ?? null,
    };
    await this.#publish(stream, `domain.${isChannel(place) ? 'ChannelMessage' : 'DirectMessage'}`, value);
  }

  async #publish(stream: Stream, type: string, value: object): Promise<void> {
    const { kafka } = this.#options;
    if (kafka === null || this.#producer === null) return;
    const headers = { __TypeId__: `${PACKAGE}.${type}` };
    await this.#producer.send({
      topic: kafka.topic(stream),
      messages: [{ key: null, value: JSON.stringify(value), headers }],
    });
  }

  /** Java's array of a local time. It leaves seconds and fractions out where they are zero. */
  #localTime(time: Date): number[] {
    const at = new Date(time.getTime() + (this.#options.zone ?? 0) * 3_600_000);
    const parts = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes()];
    const nanos = at.getUTCMilliseconds() * 1_000_000;
    if (nanos > 0) return [...parts, at.getUTCSeconds(), nanos];
    return at.getUTCSeconds() > 0 ? [...parts, at.getUTCSeconds()] : parts;
  }
}

function authorOf(userId: number) {
  return { name: `user${userId}`, profileImage: 'http://img/1.png' };
}

function classOf(place: ConversationKey): string {
  return `${PACKAGE}.domain.${isChannel(place) ? 'ChannelMessage' : 'DirectMessage'}`;
}
