import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { unlimited } from '../../../dev/unlimited.ts';
import { CALLS, type DescribedCall } from '../../../scripts/specs/openapi.ts';
import { nameIn, type Optional, type Schema } from '../../../scripts/specs/schema.ts';
import { SCHEMAS } from '../../../scripts/specs/schemas.ts';
import { embeddedApplication, temporaryFiles, tokenOf } from '../../support/embedded-application.ts';
import { arbitraryOf } from '../../support/specs/arbitrary.ts';
import { isBodyRefusedBeyondSchema } from '../../support/specs/beyond-schemas.ts';
import { AGREED, type Case, casesOf, disagreements, MISSING, withOdd } from '../../support/specs/disagreements.ts';
import { ODD_TEXTS, ODD_VALUES, SHORT_TEXTS } from '../../support/specs/odd-values.ts';
import { SchemaChecker } from '../../support/specs/schema-checker.ts';
import { AS_OPS, serve } from '../http/harness.ts';

const checker = new SchemaChecker({ isClosed: false });
// Hundreds of requests take a few seconds where nothing else runs.
vi.setConfig({ testTimeout: 60_000 });

/** Values of parameters with which a call is accepted, or refused only for what it names. */
const GOOD: Readonly<Record<string, string>> = {
  'messages/{id}': '0123456789abcdef01234567',
  'jobs/{id}': 'none',
  'traces/{id}': 'none',
  id: '5',
  userId: '1',
  ch_id: '5',
  place: 'r-5',
  places: 'r-5',
  mode: 'anonymise',
  days: '30',
  'file-days': '30',
};
/** Parameters of which a call needs any one. */
const ALTERNATIVES: Readonly<Record<string, readonly (readonly string[])[]>> = { online: [['place'], ['places']] };

function good(call: DescribedCall, name: string): string {
  const inPath = Object.keys(GOOD).find((key) => key.endsWith(`{${name}}`) && call.path.endsWith(key));
  return GOOD[inPath ?? name] ?? '';
}

async function server(): Promise<string> {
  const files = await temporaryFiles();
  const { app, clock } = await embeddedApplication({ files: files.store, limits: unlimited });
  const demo = { issueToken: () => 'a token', demoWorld: () => ({ users: [], rooms: [], communities: [] }) };
  return (await serve({ ...app }, { clock, demo })).url;
}

interface Parts {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: RequestInit['body'];
}

/** True unless the answer refuses the form of the request. */
async function isAccepted(url: string, call: DescribedCall, parts: Parts): Promise<boolean> {
  const path = call.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(parts.path?.[name] ?? good(call, name))),
  );
  const query = new URLSearchParams(parts.query as Record<string, string>);
  const headers: Record<string, string> =
    call.who === 'admin' ? AS_OPS : call.who === 'client' ? { authorization: tokenOf(1) } : {};
  const { body = null } = parts;
  const response = await fetch(`${url}${path}?${query}`, { method: call.method.toUpperCase(), headers, body });
  const text = await response.text();
  return response.ok || !/"code":(?:2100|2413)/.test(text);
}

/**
 * A text of a path or query as the schema reads it: canonical digits are an integer where it wants
 * one.
 */
function read(schema: Schema, text: unknown): unknown {
  const target = SCHEMAS[nameIn(schema) ?? ''] ?? schema;
  return target.type === 'integer' && /^(?:0|[1-9]\d*)$/.test(String(text)) ? Number(text) : text;
}

function accepts(field: Schema | Optional | undefined, value: unknown): boolean {
  if (field === undefined) return true;
  if (value === MISSING) return 'optional' in field;
  const schema = 'optional' in field ? field.optional : field;
  return checker.mismatch(schema, read(schema, value)) === null;
}

/** True for a text whose length has a limit. */
function hasLimit(schema: Schema = {}): boolean {
  return (SCHEMAS[nameIn(schema) ?? ''] ?? schema).maxLength !== undefined;
}

const CHECKED = CALLS.filter(({ who, name }) => who !== 'sockjs' && who !== 'link' && name !== 'page');

describe('a parameter of a path', () => {
  it.each(CHECKED.filter(({ call }) => call.path !== undefined).map((call) => ({ name: call.name, call })))(
    'the schema and the server agree about odd parameters in the path of $name',
    async ({ call }) => {
      const url = await server();
      const { example } = call.call.body ?? {};
      const body = example === undefined ? null : JSON.stringify(example);
      const query = Object.fromEntries(Object.keys(call.call.query ?? {}).map((name) => [name, good(call, name)]));
      delete query['dry-run'];
      const texts = SHORT_TEXTS.filter((text) => text !== '');
      const cases = Object.keys(call.call.path ?? {}).flatMap((field) => texts.map((value) => ({ field, value })));
      expect(
        await disagreements(
          cases,
          ({ field, value }) => accepts(call.call.path?.[field], value),
          ({ field, value }) => isAccepted(url, call, { path: { [field]: value }, query, body }),
        ),
      ).toEqual(AGREED);
    },
  );
});

describe('a parameter of a query', () => {
  const queries = CHECKED.flatMap((call) => {
    const all = call.call.query;
    if (all === undefined) return [];
    const required = Object.keys(all).filter((name) => !('optional' in (all[name] ?? {})) || name.endsWith('days'));
    return (ALTERNATIVES[call.name] ?? [required]).map((base) => ({ name: call.name, base, call }));
  });

  it.each(queries)(
    'the schema and the server agree about odd parameters in the query of $name with $base',
    async ({ call, base }) => {
      const url = await server();
      const { query = {} } = call.call;
      const isChoice = call.name in ALTERNATIVES;
      const given = Object.fromEntries(base.map((name) => [name, good(call, name)]));
      expect(await isAccepted(url, call, { query: given })).toBe(true);
      const cases = casesOf(isChoice ? base : Object.keys(query), SHORT_TEXTS).filter(
        ({ value }) => !isChoice || value !== MISSING,
      );
      expect(
        await disagreements(
          cases,
          ({ field, value }) => accepts(query[field], value),
          (one) => isAccepted(url, call, { query: withOdd(given, one) }),
        ),
      ).toEqual(AGREED);
    },
  );
});

describe('a JSON body', () => {
  const calls = CHECKED.filter(({ call }) => call.body !== undefined && call.body.contentType === undefined);

  it.each(calls.map((call) => ({ name: call.name, call })))(
    'the schema and the server agree about odd bodies of $name',
    async ({ call }) => {
      const url = await server();
      const { schema = {}, example } = call.call.body ?? {};
      const bySchema = (body: unknown): boolean => checker.mismatch(schema, body) === null;
      const byServer = (body: unknown) => isAccepted(url, call, { body: JSON.stringify(body) });
      const { nonce: _, ...base } = example as Record<string, unknown>;
      const bodyOf = (one: Case): unknown => (Array.isArray(example) ? [one.value] : withOdd(base, one));
      const cases = Array.isArray(example)
        ? ODD_VALUES.map((value) => ({ field: 'entry', value }))
        : casesOf(Object.keys(schema.properties ?? {}), ODD_VALUES);
      expect(
        await disagreements(
          cases,
          (one) => bySchema(bodyOf(one)),
          (one) => byServer(bodyOf(one)),
        ),
      ).toEqual(AGREED);
      for (const odd of [null, [], {}, 'x', 5]) expect([odd, await byServer(odd)]).toEqual([odd, bySchema(odd)]);
    },
  );

  it.each(calls.map((call) => ({ name: call.name, call })))(
    'the server accepts every body of $name that the schema accepts',
    async ({ call }) => {
      const url = await server();
      const { schema = {} } = call.call.body ?? {};
      await fc.assert(
        fc.asyncProperty(arbitraryOf(schema), async (value) => {
          expect(checker.mismatch(schema, value)).toBeNull();
          const accepted = await isAccepted(url, call, { body: JSON.stringify(value) });
          expect(accepted || isBodyRefusedBeyondSchema(value)).toBe(true);
        }),
        { numRuns: 15 },
      );
    },
  );
});

describe('a form', () => {
  const BASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    uploadToRoom: { channelId: '5', type: 'direct', fileType: 'file' },
    uploadToChannel: { communityId: '1', channelId: '11', type: 'community', fileType: 'file' },
  };
  const forms = CHECKED.filter(({ call }) => call.body?.contentType === 'multipart/form-data').flatMap((call) => {
    const { image: _, thumbnail: __, ...fields } = call.call.body?.schema.properties ?? {};
    return Object.keys(fields).map((field) => ({ name: call.name, field, call }));
  });

  it.each(forms)(
    'the schema and the server agree about odd values of the field $field of $name',
    async ({ call, field }) => {
      const url = await server();
      const { schema = {} } = call.call.body ?? {};
      const base = BASES[call.name] ?? {};
      const formOf = (one: Case): FormData => {
        const form = new FormData();
        for (const [name, value] of Object.entries(withOdd(base, one))) form.append(name, String(value));
        form.append('image', new Blob(['some text']), 'notes.txt');
        return form;
      };
      expect(
        await disagreements(
          casesOf([field], hasLimit(schema.properties?.[field]) ? ODD_TEXTS : SHORT_TEXTS),
          (one) => checker.mismatch(schema, { ...withOdd(base, one), image: 'some text' }) === null,
          (one) => isAccepted(url, call, { body: formOf(one) }),
        ),
      ).toEqual(AGREED);
    },
  );
});
