import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asyncApiSpecs from '@asyncapi/specs' with { type: 'json' };
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../../../scripts/spec-docs.ts';
import { asyncApiDocument } from '../../../scripts/specs/asyncapi.ts';
import { EVENT_EXAMPLES } from '../../../scripts/specs/event-examples.ts';
import { SUBSCRIBE_DESTINATIONS } from '../../../scripts/specs/event-schemas.ts';
import { CALLS, openApiDocument } from '../../../scripts/specs/openapi.ts';
import { PARTS, partsIn, withParts } from '../../../scripts/specs/pages.ts';
import { ref, type Schema } from '../../../scripts/specs/schema.ts';
import { SEND_TABLE } from '../../../scripts/specs/send-schemas.ts';
import { createHttpApp } from '../../../src/adapters/http/app.ts';
import { ERRORS_DESTINATION, EVENTS_DESTINATION, parseDestination } from '../../../src/adapters/stomp/destinations.ts';
import { SEND_DESTINATIONS } from '../../../src/adapters/stomp/send-routes.ts';
import { SchemaChecker } from '../../support/specs/schema-checker.ts';
import { serve } from '../http/harness.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const DOCUMENTS: readonly (readonly [string, object])[] = [
  ['openapi.json', openApiDocument('0.0.0')],
  ['asyncapi.json', asyncApiDocument('0.0.0')],
];

/** All references of a document that lead to nothing. */
function brokenReferences(document: object): string[] {
  const broken: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('$ref' in value && typeof value.$ref === 'string' && !leadsSomewhere(document, value.$ref))
      broken.push(value.$ref);
    for (const each of Object.values(value)) visit(each);
  };
  visit(document);
  return broken;
}

function leadsSomewhere(document: object, reference: string): boolean {
  let value: unknown = document;
  for (const step of reference.replace(/^#\//, '').split('/')) {
    if (typeof value !== 'object' || value === null) return false;
    value = Object.entries(value).find(([key]) => key === step)?.[1];
  }
  return value !== undefined;
}

it.each(DOCUMENTS)('%s refers only to parts of itself that exist', (_, document) => {
  expect(brokenReferences(document)).toEqual([]);
});

it('accepts openapi.json by the official schema of OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(openApiDocument('0.0.0')));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

it('accepts asyncapi.json by the official schema of AsyncAPI 3.0', () => {
  const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
  addFormats.default(ajv);
  const validate = ajv.compile((asyncApiSpecs.schemas as Record<string, object>)['3.0.0'] ?? {});
  validate(asyncApiDocument('0.0.0'));
  expect(validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`) ?? []).toEqual([]);
});

/** The routes of files, by their paths in the document. */
const WILDCARDS: Readonly<Record<string, string>> = { '/{path}': '/{*path}', '/admin/{path}': '/admin{/*path}' };

it('openapi.json has every route of the router and no other call, SockJS aside', async () => {
  const demo = { issueToken: () => '', demoWorld: () => ({ users: [], rooms: [], communities: [] }) };
  const { options } = await serve({}, { demo });
  const routes = createHttpApp(options).router.stack.flatMap(
    ({ route }) => route?.stack.map(({ method }) => `${method} ${route.path}`) ?? [],
  );
  const asRoute = ({ method, path }: (typeof CALLS)[number]) =>
    `${method} ${WILDCARDS[path] ?? path.replace(/\{(\w+)\}/g, ':$1')}`;
  expect(
    CALLS.filter(({ who }) => who !== 'sockjs')
      .map(asRoute)
      .toSorted(),
  ).toEqual(routes.toSorted());
});

it('openapi.json names each parameter of a path', () => {
  for (const { path, call } of CALLS) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect([path, Object.keys(call.path ?? {})]).toEqual([path, named]);
  }
});

it('asyncapi.json has every destination of SEND and SUBSCRIBE, and no other', () => {
  expect(SEND_TABLE.map(({ address }) => address)).toEqual([...SEND_DESTINATIONS]);
  const places = SUBSCRIBE_DESTINATIONS.map(({ address }) => address.replace(/\{\w+\}/, '1')).map(
    (address) => parseDestination(address) ?? address,
  );
  expect(places).toEqual(['r-1', 'c-1', 'com-1', ERRORS_DESTINATION, EVENTS_DESTINATION]);
});

it('describes each input: no schema of a body accepts every value by mistake', () => {
  const open: string[] = [];
  const visit = (schema: Schema, at: string): void => {
    const isEmpty = Object.keys(schema).every((key) => key === 'description');
    if (isEmpty) open.push(at);
    for (const [name, each] of Object.entries(schema.properties ?? {})) visit(each, `${at}.${name}`);
    if (schema.items !== undefined) visit(schema.items, `${at}[]`);
    for (const each of schema.anyOf ?? schema.oneOf ?? []) visit(each, at);
  };
  for (const { name, call } of CALLS) if (call.body !== undefined) visit(call.body.schema, name);
  for (const { name, body } of SEND_TABLE) visit(body, name);
  expect(open).toEqual([]);
});

describe('the examples', () => {
  const checker = new SchemaChecker({ isClosed: false });

  it.each(SEND_TABLE.map(({ address, body, example }) => ({ address, body, example })))(
    'the example of a body for $address fits its schema',
    ({ body, example }) => {
      expect(checker.mismatch(body, example)).toBeNull();
    },
  );

  it.each(Object.entries(EVENT_EXAMPLES))('the example of a body %s fits its schema', (name, example) => {
    expect(new SchemaChecker({ isClosed: true }).mismatch(ref(name), example)).toBeNull();
  });

  it.each(CALLS.filter(({ call }) => call.body?.example !== undefined).map(({ name, call }) => ({ name, call })))(
    'the example of a body of the call $name fits its schema',
    ({ call }) => {
      expect(checker.mismatch(call.body?.schema ?? {}, call.body?.example)).toBeNull();
    },
  );
});

describe('the generated files', () => {
  const files = generatedFiles();

  it.each([...files.keys()])('%s is up to date (node scripts/spec-docs.ts)', (path) => {
    expect(readFileSync(join(ROOT, path), 'utf8') === files.get(path)).toBe(true);
  });

  it('shows every generated part on a page', () => {
    const pages = globSync('docs/**/*.md', { cwd: ROOT }).map((path) => readFileSync(join(ROOT, path), 'utf8'));
    expect([...new Set(pages.flatMap(partsIn))].toSorted()).toEqual(Object.keys(PARTS).toSorted());
  });

  it('replaces only the text between the markers of a page', () => {
    const page = withParts('before\n<!-- generated: topics -->\nold\n<!-- /generated -->\nafter\n');
    expect(page).toMatch(/^before\n<!-- generated: topics -->\n\n\| topic [\s\S]*\n\n<!-- \/generated -->\nafter\n$/);
    expect(page).not.toContain('old');
    expect(withParts(page)).toBe(page);
    expect(() => withParts('<!-- generated: nothing -->\n<!-- /generated -->')).toThrow('nothing');
  });
});
