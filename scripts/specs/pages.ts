import { statusOf } from '../../src/adapters/http/service/answers.ts';
import type { Answers, Call } from './call.ts';
import { errorLink, NUMBERED_ERRORS } from './errors.ts';
import { EVENT_EXAMPLES } from './event-examples.ts';
import { EVENT_SCHEMAS, type EventName, SUBSCRIBE_DESTINATIONS } from './event-schemas.ts';
import { FRAMES } from './frames.ts';
import { bullet, code, fieldTable, resolved, table, typeText, wrap } from './markdown.ts';
import { CALLS, type DescribedCall, SERVICE_REFUSALS } from './openapi.ts';
import { TOPIC_TABLE } from './record-schemas.ts';
import type { Optional, Schema } from './schema.ts';
import { SCHEMAS, usedSchemas } from './schemas.ts';
import { SEND_TABLE } from './send-schemas.ts';

function fieldsOf({ properties = {}, required = [] }: Schema): string {
  return Object.keys(properties)
    .map((name) => (required.includes(name) ? code(name) : `[${code(name)}]`))
    .join(', ');
}

function sendDestinations(): string {
  return table(
    ['destination', 'what', 'body', 'who may', 'use case'],
    SEND_TABLE.map(({ address, what, body, who, useCases }) => [
      code(address),
      what,
      fieldsOf(body),
      who,
      useCases.map(code).join(', '),
    ]),
  );
}

function sendBodies(): string {
  return SEND_TABLE.map(({ address, body, example, isStored, refusals }) =>
    [
      `### ${code(address)}`,
      '',
      isStored
        ? 'Stores an event. The RECEIPT has `seq` and `message-id`.'
        : 'Stores no event. The RECEIPT has neither `seq` nor `message-id`.',
      '',
      fieldTable(body).replace('| always |', '| required |'),
      '',
      `    ${JSON.stringify(example)}`,
      '',
      wrap(`Refusals: ${refusals.map(errorLink).sort().join(', ')}.`),
    ].join('\n'),
  ).join('\n\n');
}

function subscribeDestinations(): string {
  return table(
    ['destination', 'content', 'who may', 'bodies'],
    SUBSCRIBE_DESTINATIONS.map(({ address, what, who, events }) => [
      code(address),
      what,
      who,
      events.map((event) => `[${event}](destinations.md#${event.toLowerCase()})`).join(', '),
    ]),
  );
}

function eventBodies(): string {
  return (Object.keys(EVENT_SCHEMAS) as EventName[])
    .map((name) => {
      const schema: Schema = EVENT_SCHEMAS[name];
      const fields = schema.properties === undefined ? [] : ['', fieldTable(schema)];
      const example = `    ${JSON.stringify(EVENT_EXAMPLES[name])}`;
      return [`### ${name}`, '', wrap(schema.description ?? ''), ...fields, '', example].join('\n');
    })
    .join('\n\n');
}

/** The values of the field `type` of a body. */
function typesOf(name: EventName): string {
  const { properties = {} }: Schema = EVENT_SCHEMAS[name];
  const { type } = properties;
  if (type === undefined) return 'none';
  return (type.enum ?? [type.const]).map((each) => code(String(each))).join(', ');
}

/** The bodies that some destinations have, one a row. */
function eventTypes(names: readonly string[]): string {
  const destinations = SUBSCRIBE_DESTINATIONS.filter(({ name }) => names.includes(name));
  const events = [...new Set(destinations.flatMap((each) => each.events))];
  const rows = events.map((event) => {
    const schema: Schema = EVENT_SCHEMAS[event];
    const { type: _, ...properties } = schema.properties ?? {};
    const where = destinations.filter((each) => each.events.includes(event)).map(({ name }) => name);
    const fields = fieldsOf({ ...schema, properties });
    return [typesOf(event), where.join(', '), schema.description ?? '', fields];
  });
  return table(['`type`', 'where', 'meaning', 'other fields'], rows);
}

function serviceStatuses(): string {
  const meanings: Answers = { ...SERVICE_REFUSALS, 404: { description: 'There is no such message, thing or call.' } };
  return table(
    ['status', 'codes', 'meaning'],
    Object.entries(meanings).map(([status, { description }]) => {
      const codes = NUMBERED_ERRORS.filter(({ code: name }) => statusOf(name) === Number(status)).map(
        ({ code: name }) => name,
      );
      const all = status === '404' ? [...codes, 'bad-input' as const] : codes;
      return [status, all.map(errorLink).join(', '), description];
    }),
  );
}

function frames(): string {
  return table(
    ['frame', 'sent by', 'what', 'headers'],
    FRAMES.map(({ command, from, what, headers }) => [code(command), from, what, fieldsOf(headers)]),
  );
}

function topics(): string {
  return table(
    ['topic', 'variable', 'consumer group', 'content', 'keys'],
    TOPIC_TABLE.map(({ topic, variable, group, what, keys }) => [
      code(topic),
      code(variable),
      code(group),
      what,
      keys.split(', ').map(code).join(', '),
    ]),
  );
}

const CALLERS: Readonly<Record<DescribedCall['who'], string>> = {
  client: 'users, with their token',
  service: 'services',
  admin: 'administrators',
  link: 'holders of a link',
  demo: 'anyone, while `DEMO` is on',
  anyone: 'anyone',
  sockjs: 'anyone',
};

function addressOf({ method, path }: DescribedCall): string {
  return `${method.toUpperCase()} ${path}`;
}

function callTable(calls: readonly DescribedCall[]): string {
  return table(
    ['call', 'what', 'who may', 'use case'],
    calls.map((each) => [
      code(addressOf(each)),
      each.what,
      CALLERS[each.who],
      (each.call.useCases ?? []).map(code).join(', '),
    ]),
  );
}

function parameterRows(place: string, fields: Readonly<Record<string, Schema | Optional>> = {}): string[][] {
  return Object.entries(fields).map(([name, field]) => {
    const schema = 'optional' in field ? field.optional : field;
    const required = 'optional' in field ? 'no' : 'yes';
    return [code(name), place, typeText(schema), required, resolved(schema).description ?? ''];
  });
}

function bodyRows({ body }: Call): string[][] {
  if (body === undefined) return [];
  const { properties, required = [] } = resolved(body.schema);
  if (properties === undefined) return [['the body', 'body', typeText(body.schema), 'yes', '']];
  return Object.entries(properties).map(([name, schema]) => [
    code(name),
    body.contentType === 'multipart/form-data' ? 'form' : 'body',
    typeText(schema),
    required.includes(name) ? 'yes' : 'no',
    resolved(schema).description ?? '',
  ]);
}

/** The schema of the data in an answer: that of `result` in a wrapped one. */
function dataOf(schema: Schema): Schema {
  return schema.properties?.isSuccess === undefined ? schema : (schema.properties.result ?? schema);
}

function callDetails(each: DescribedCall): string {
  const { call, what } = each;
  const rows = [
    ...parameterRows('path', call.path),
    ...parameterRows('query', call.query),
    ...parameterRows('header', call.headers),
    ...bodyRows(call),
  ];
  const answers = Object.entries(call.answers).map(([status, { description, schema }]) => {
    const data = schema === undefined ? '' : ` (${shownType(dataOf(schema))})`;
    return bullet(`${status}: ${description}${data}`);
  });
  return [
    `### ${code(addressOf(each))}`,
    '',
    wrap(`The call ${what}.${call.description === undefined ? '' : ` ${call.description}`}`),
    ...(rows.length > 0 ? ['', table(['name', 'in', 'value', 'required', 'meaning'], rows)] : []),
    ...(call.body?.example === undefined ? [] : ['', `    ${JSON.stringify(call.body.example)}`]),
    '',
    ...answers,
  ].join('\n');
}

/** The type of an answer, with links to the objects of the page. */
function shownType(schema: Schema): string {
  return typeText(schema).replace(/`([A-Z]\w+)`/g, (whole, name: string) =>
    SCHEMAS[name]?.properties === undefined ? whole : `[${name}](#${name.toLowerCase()})`,
  );
}

/** The names of the objects in the answers of these calls. */
function objectNames(calls: readonly DescribedCall[]): string[] {
  const answers = calls.map(({ call }) => Object.values(call.answers).map(({ schema }) => schema));
  const used = Object.entries(usedSchemas(answers));
  return used.filter(([, { properties }]) => properties !== undefined).map(([name]) => name);
}

function objects(names: readonly string[]): string {
  return names
    .map((name) => {
      const schema = SCHEMAS[name] ?? {};
      const about = schema.description === undefined ? [] : [wrap(schema.description), ''];
      return [`### ${name}`, '', ...about, fieldTable(schema)].join('\n');
    })
    .join('\n\n');
}

const CLIENT_CALLS = CALLS.filter(({ who }) => who !== 'admin' && who !== 'sockjs');
const OPERATOR_CALLS = CALLS.filter(({ who }) => who === 'admin');
const CLIENT_OBJECTS = objectNames(CLIENT_CALLS);
const OPERATOR_OBJECTS = objectNames(OPERATOR_CALLS).filter((name) => !CLIENT_OBJECTS.includes(name));
const SOCKJS = CALLS.filter(({ who }) => who === 'sockjs');

function errorCodes(): string {
  return table(
    ['code', 'meaning', 'try again?'],
    NUMBERED_ERRORS.map(({ code: name, meaning, retry }) => [errorLink(name), meaning, retry]),
  );
}

function errorEntries(): string {
  return NUMBERED_ERRORS.map(({ number, title, meaning, causes, remedies, retry }) =>
    [
      `## Code ${number}: ${title.charAt(0).toLowerCase()}${title.slice(1)}`,
      '',
      wrap(meaning),
      '',
      'Causes:',
      '',
      ...causes.map(bullet),
      '',
      'Remedies:',
      '',
      ...remedies.map(bullet),
      '',
      wrap(`Try again: ${retry}.`),
    ].join('\n'),
  ).join('\n\n');
}

/** The generated parts of pages, by the name in their marker. */
export const PARTS: Readonly<Record<string, () => string>> = {
  frames,
  'send-destinations': sendDestinations,
  'send-bodies': sendBodies,
  'subscribe-destinations': subscribeDestinations,
  'event-bodies': eventBodies,
  'event-types': () => eventTypes(['room', 'channel', 'community']),
  'personal-events': () => eventTypes(['events']),
  'service-statuses': serviceStatuses,
  topics,
  'http-calls': () => callTable(CLIENT_CALLS),
  'http-details': () => CLIENT_CALLS.map(callDetails).join('\n\n'),
  'http-objects': () => objects(CLIENT_OBJECTS),
  'service-calls': () => callTable(OPERATOR_CALLS),
  'service-details': () => OPERATOR_CALLS.map(callDetails).join('\n\n'),
  'service-objects': () => objects(OPERATOR_OBJECTS),
  'sockjs-calls': () => callTable(SOCKJS),
  'error-codes': errorCodes,
  'error-entries': errorEntries,
};

const MARKER = /<!-- generated: ([a-z-]+) -->\n[\s\S]*?<!-- \/generated -->/g;

/**
 * A page with its generated parts written anew.
 * @throws Error for a marker with an unknown name
 */
export function withParts(page: string): string {
  return page.replace(MARKER, (_, name: string) => {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`no part is generated under the name ${name}`);
    return `<!-- generated: ${name} -->\n\n${part()}\n\n<!-- /generated -->`;
  });
}

/** The names of the generated parts of a page. */
export function partsIn(page: string): string[] {
  return [...page.matchAll(MARKER)].map(([, name = '']) => name);
}
