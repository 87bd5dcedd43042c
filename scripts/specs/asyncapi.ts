import { refusalNumber } from '../../src/adapters/transport/refusal-codes.ts';
import { ERROR_NUMBERS } from './errors.ts';
import { EVENT_EXAMPLES } from './event-examples.ts';
import { EVENT_SCHEMAS, type EventName, SUBSCRIBE_DESTINATIONS, type SubscribeDestination } from './event-schemas.ts';
import { FRAMES, type Frame, MESSAGE_HEADERS, SEND_HEADERS } from './frames.ts';
import { TOPIC_TABLE, type Topic } from './record-schemas.ts';
import { object, optional, ref, type Schema, text } from './schema.ts';
import { usedSchemas } from './schemas.ts';
import { SEND_TABLE, type SendDestination } from './send-schemas.ts';

const STOMP = [{ $ref: '#/servers/stomp' }];
const KAFKA = [{ $ref: '#/servers/kafka' }];
const KAFKA_BINDING = '0.5.0';

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The name of the message of a SEND. */
function sendMessageName({ name }: SendDestination): string {
  return `${capital(name)}Send`;
}

function frameMessageName({ command }: Frame): string {
  return `${capital(command.toLowerCase())}Frame`;
}

function messageRef(name: string): object {
  return { $ref: `#/components/messages/${name}` };
}

/** The messages of a channel, as operations name them. */
function inChannel(channel: string, names: readonly string[]): object[] {
  return names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));
}

const CONNECTION = 'connection';

function channels(): Record<string, object> {
  const all: Record<string, object> = {
    [CONNECTION]: {
      address: null,
      title: 'The connection',
      description: 'Frames that belong to no destination.',
      servers: STOMP,
      messages: Object.fromEntries(
        FRAMES.map((frame) => [frameMessageName(frame), messageRef(frameMessageName(frame))]),
      ),
    },
  };
  for (const entry of SEND_TABLE) {
    const { name, address, what, who } = entry;
    const message = sendMessageName(entry);
    all[name] = {
      address,
      summary: what,
      description: `Allowed for: ${who}.`,
      servers: STOMP,
      messages: { [message]: messageRef(message) },
    };
  }
  for (const { name, address, what, who, parameters, events } of SUBSCRIBE_DESTINATIONS) {
    all[name] = {
      address,
      summary: what,
      description: `Allowed for: ${who}.`,
      servers: STOMP,
      ...(Object.keys(parameters).length > 0 && {
        parameters: Object.fromEntries(Object.entries(parameters).map(([key, description]) => [key, { description }])),
      }),
      messages: Object.fromEntries(events.map((event) => [event, messageRef(event)])),
    };
  }
  for (const topic of TOPIC_TABLE) {
    all[channelOf(topic)] = {
      address: topic.topic,
      summary: topic.what,
      description: `The name of the topic is set by \`${topic.variable}\`.`,
      servers: KAFKA,
      messages: { [topic.value]: messageRef(topic.value) },
      bindings: { kafka: { topic: topic.topic, bindingVersion: KAFKA_BINDING } },
    };
  }
  return all;
}

function channelOf({ topic }: Topic): string {
  return topic.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function operations(): Record<string, object> {
  const all: Record<string, object> = {};
  const { client, server } = Object.groupBy(FRAMES, ({ from }) => from);
  const channel = { $ref: `#/channels/${CONNECTION}` };
  all.receiveFrames = {
    action: 'receive',
    summary: 'takes the frames of a client',
    channel,
    messages: inChannel(CONNECTION, (client ?? []).map(frameMessageName)),
  };
  all.sendFrames = {
    action: 'send',
    summary: 'answers the frames of a client',
    channel,
    messages: inChannel(CONNECTION, (server ?? []).map(frameMessageName)),
  };
  for (const entry of SEND_TABLE) all[`receive${capital(entry.name)}`] = receiveOperation(entry);
  for (const destination of SUBSCRIBE_DESTINATIONS) {
    all[`send${capital(destination.name)}`] = sendOperation(destination);
  }
  for (const topic of TOPIC_TABLE) {
    const name = channelOf(topic);
    const rest = { channel: { $ref: `#/channels/${name}` }, messages: inChannel(name, [topic.value]) };
    all[`write${capital(name)}`] = { action: 'send', summary: `writes ${topic.what}`, ...rest };
    all[`read${capital(name)}`] = {
      action: 'receive',
      summary: `reads ${topic.what} of other servers`,
      description: `The consumer group is \`${topic.group}\` with the id of the server behind it.`,
      ...rest,
    };
  }
  return all;
}

function receiveOperation(entry: SendDestination): object {
  return {
    action: 'receive',
    summary: entry.what,
    description: entry.isStored
      ? 'The RECEIPT comes when the event is durable. It has `seq` and `message-id`.'
      : 'The RECEIPT comes when the command was handled.',
    channel: { $ref: `#/channels/${entry.name}` },
    messages: inChannel(entry.name, [sendMessageName(entry)]),
    'x-refusal-codes': entry.refusals.map(refusalNumber).sort(),
    reply: {
      channel: { $ref: `#/channels/${CONNECTION}` },
      messages: inChannel(CONNECTION, ['ReceiptFrame', 'ErrorFrame']),
    },
  };
}

function sendOperation({ name, what, events }: SubscribeDestination): object {
  return {
    action: 'send',
    summary: `sends ${what}`,
    channel: { $ref: `#/channels/${name}` },
    messages: inChannel(name, events),
  };
}

function messages(): Record<string, object> {
  const all: Record<string, object> = {};
  for (const frame of FRAMES) {
    const name = frameMessageName(frame);
    all[name] = {
      name: frame.command,
      title: frame.command,
      summary: frame.what,
      headers: frame.headers,
      ...(frame.body && { payload: frame.body }),
    };
  }
  for (const entry of SEND_TABLE) {
    all[sendMessageName(entry)] = {
      name: 'SEND',
      title: `SEND to ${entry.address}`,
      headers: SEND_HEADERS,
      payload: entry.body,
      examples: [{ payload: entry.example }],
    };
  }
  for (const name of Object.keys(EVENT_SCHEMAS) as EventName[]) {
    all[name] = {
      name: 'MESSAGE',
      title: `MESSAGE: ${name}`,
      summary: EVENT_SCHEMAS[name].description,
      headers: MESSAGE_HEADERS,
      payload: ref(name),
      examples: [{ payload: EVENT_EXAMPLES[name] }],
    };
  }
  for (const { value, keys, isNumbered, what } of TOPIC_TABLE) {
    all[value] = {
      name: value,
      title: `Record: ${what}`,
      headers: recordHeaders(isNumbered),
      payload: ref(value),
      bindings: {
        kafka: {
          key: { type: 'string', description: 'The place or user.', examples: [keys] },
          bindingVersion: KAFKA_BINDING,
        },
      },
    };
  }
  return all;
}

/** The headers of a record. */
export function recordHeaders(isNumbered: boolean): Schema {
  const number = (description: string) => optional(text(description, { pattern: '^[1-9][0-9]{0,15}$' }));
  return object({
    server: text('The id of the server that wrote the record.'),
    ...(isNumbered && {
      seq: number('The number of the event in its place. Typing notices and records of an original server have none.'),
      batch: number('The last number of the append that stored the event.'),
      traceparent: optional(text('W3C Trace Context. Only where the event is traced.')),
    }),
  });
}

/** The AsyncAPI 3 document of STOMP and Kafka. @param version of the server */
export function asyncApiDocument(version: string): object {
  const shown = { channels: channels(), operations: operations(), messages: messages() };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Chat server: STOMP and Kafka',
      version,
      description:
        'The frames between clients and the chat server, and the records between servers. Operations are named from ' +
        'the side of the server. ' +
        `Refusals have one of the codes ${ERROR_NUMBERS.join(', ')}. ` +
        'Limits are the defaults. A newer server may send more fields and types: ignore those that you do not know.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      stomp: {
        host: 'localhost:8080',
        pathname: '/my-chat/websocket',
        protocol: 'stomp',
        description: 'STOMP 1.0, 1.1 and 1.2 over a WebSocket, or over SockJS under `/my-chat`.',
      },
      kafka: {
        host: 'localhost:9092',
        protocol: 'kafka',
        description: 'Records between servers. Every server reads every record.',
      },
    },
    channels: shown.channels,
    operations: shown.operations,
    components: { messages: shown.messages, schemas: usedSchemas(shown) },
  };
}
