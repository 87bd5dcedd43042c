import { type Endpoint, OWN_ENDPOINTS } from '../../src/adapters/http/endpoints.ts';
import { SERVICE_ENDPOINTS, type ServiceEndpoint } from '../../src/adapters/http/service/endpoints.ts';
import type { Answer, Answers, Call } from './call.ts';
import { json, plain } from './call.ts';
import { HTTP_CALLS, TAGS } from './http-calls.ts';
import { integer, type Optional, ref, type Schema } from './schema.ts';
import { usedSchemas } from './schemas.ts';
import { SERVICE_CALLS } from './service-calls.ts';
import { SOCKJS_CALLS } from './sockjs-calls.ts';
import { MODERATOR_VERDICT } from './zod-bodies.ts';

/** A call with its address, as the document and the pages show it. */
export interface DescribedCall {
  readonly name: string;
  readonly method: string;
  /** The path with parameters in braces. */
  readonly path: string;
  readonly who: Endpoint['who'] | ServiceEndpoint['who'] | 'sockjs';
  readonly what: string;
  readonly call: Call;
  /** All answers, by status. */
  readonly answers: Answers;
}

const RETRY_AFTER = { 'retry-after': integer(0, 'With a refusal for speed: seconds.') };
const WRAPPED_REFUSALS: Answers = {
  400: json('Refused. The field `code` tells why.', ref('Refusal'), RETRY_AFTER),
};
const PLAIN_REFUSALS: Answers = { 400: plain('The request is not valid.'), 503: plain('A part does not answer now.') };

function serviceRefusal(description: string): Answer {
  return json(description, ref('ServiceRefusal'));
}

/** The refusals of the service API by status. Only some calls have the status 404. */
export const SERVICE_REFUSALS: Answers = {
  400: serviceRefusal('The request is not valid; the message names the field.'),
  401: json('No token, or not one of `ADMIN_TOKENS`.', ref('ServiceRefusal'), {
    'www-authenticate': { type: 'string' },
  }),
  403: serviceRefusal('The service API is closed, or there is no such place.'),
  413: serviceRefusal('The content or the body is too large.'),
  429: json('Too fast.', ref('ServiceRefusal'), RETRY_AFTER),
  500: serviceRefusal('The database refused, or a defect.'),
  503: serviceRefusal('A part that is needed does not answer. The same request may succeed later.'),
};

function refusalsOf(who: DescribedCall['who']): Answers {
  switch (who) {
    case 'client':
    case 'service':
    case 'demo':
      return WRAPPED_REFUSALS;
    case 'link':
      return PLAIN_REFUSALS;
    case 'anyone':
    case 'sockjs':
      return {};
    case 'admin':
      return SERVICE_REFUSALS;
  }
}

/** `/bans/{userId}` for `/bans/:userId`. */
function templateOf(path: string): string {
  return path
    .replace(/:(\w+)/g, '{$1}')
    .replace('{/*path}', '/{path}')
    .replace('{*path}', '{path}');
}

function describe(name: string, endpoint: Endpoint | ServiceEndpoint, call: Call): DescribedCall {
  const { method, path, who, what } = endpoint;
  const answers = { ...refusalsOf(who), ...call.answers };
  return { name, method, path: templateOf(path), who, what, call, answers };
}

/** All HTTP calls. */
export const CALLS: readonly DescribedCall[] = [
  ...Object.entries(OWN_ENDPOINTS).map(([name, endpoint]) =>
    describe(name, endpoint, HTTP_CALLS[name as keyof typeof HTTP_CALLS]),
  ),
  ...Object.entries(SERVICE_ENDPOINTS).map(([name, endpoint]) =>
    describe(name, endpoint, SERVICE_CALLS[name as keyof typeof SERVICE_CALLS]),
  ),
  ...SOCKJS_CALLS.map(({ name, method, address, what, ...call }) => ({
    name,
    method,
    path: address,
    who: 'sockjs' as const,
    what,
    call,
    answers: call.answers,
  })),
];

const SECURITY: Readonly<Record<DescribedCall['who'], readonly object[]>> = {
  client: [{ userToken: [] }],
  service: [{ serviceToken: [] }, {}],
  admin: [{ adminToken: [] }],
  link: [],
  demo: [],
  anyone: [],
  sockjs: [],
};

function parameters(place: 'path' | 'query' | 'header', fields: Readonly<Record<string, Schema | Optional>> = {}) {
  return Object.entries(fields).map(([name, field]) => {
    const schema = 'optional' in field ? field.optional : field;
    const { description } = schema;
    return {
      name,
      in: place,
      required: !('optional' in field),
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
}

function answerObject({ description, contentType = 'application/json', schema, headers }: Answer): object {
  const content =
    schema === undefined && contentType !== '*/*' ? undefined : { [contentType]: schema ? { schema } : {} };
  return {
    description,
    ...(headers && {
      headers: Object.fromEntries(Object.entries(headers).map(([name, each]) => [name, { schema: each }])),
    }),
    ...(content && { content }),
  };
}

function operation({ name, what, who, call, answers }: DescribedCall): object {
  const { tag, description, path, query, headers, body } = call;
  const all = [...parameters('path', path), ...parameters('query', query), ...parameters('header', headers)];
  return {
    operationId: name,
    tags: [tag],
    summary: what,
    ...(description === undefined ? {} : { description }),
    security: SECURITY[who],
    ...(all.length > 0 && { parameters: all }),
    ...(body && {
      requestBody: {
        required: true,
        content: {
          [body.contentType ?? 'application/json']: {
            schema: body.schema,
            ...(body.example === undefined ? {} : { example: body.example }),
          },
        },
      },
    }),
    responses: Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerObject(answer)])),
  };
}

const MODERATOR = {
  post: {
    operationId: 'checkText',
    summary: 'the server asks the moderator of the application before it stores a text of a user',
    description: 'The server calls `{MODERATOR_URL}/check`. The moderator has 300 ms.',
    requestBody: { required: true, content: { 'application/json': { schema: ref('ModeratorQuestion') } } },
    responses: {
      200: answerObject(
        json('The verdict. `allow` lets the text pass or not; `content` is stored instead.', MODERATOR_VERDICT),
      ),
    },
  },
};

const bearer = (description: string) => ({ type: 'http', scheme: 'bearer', description });

/** The OpenAPI 3.1 document of all HTTP calls. @param version of the server */
export function openApiDocument(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, object>> = {};
  for (const call of CALLS) paths[call.path] = { ...paths[call.path], [call.method]: operation(call) };
  const webhooks = { moderator: MODERATOR };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Chat server: HTTP',
      version,
      description:
        'All HTTP calls of the chat server. Limits are the defaults; settings of the server change them. ' +
        'A newer server may send more fields: ignore those that you do not know.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The server that this document comes from.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    webhooks,
    components: {
      securitySchemes: {
        userToken: bearer('The token of a user. `Bearer` may be missing.'),
        serviceToken: bearer('`SERVICE_TOKEN`. Callers in `SERVICE_NETWORKS` need none.'),
        adminToken: bearer('A token of `ADMIN_TOKENS`.'),
      },
      schemas: usedSchemas([paths, webhooks]),
    },
  };
}
