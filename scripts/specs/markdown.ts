import { nameIn, type Schema } from './schema.ts';
import { SCHEMAS } from './schemas.ts';

const MAX_COLUMNS = 100;

/** A table. Line breaks and bars in cells are made harmless. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((each) => each.replaceAll('\n', ' ').replaceAll('|', '\\|').trim()).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** Prose in lines of at most 100 columns. @param indent of the lines after the first one */
export function wrap(text: string, first = '', indent = ''): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(/\s+/)) {
    const longer = line === first || line === indent ? line + word : `${line} ${word}`;
    if (longer.length > MAX_COLUMNS && line !== first && line !== indent) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line].join('\n');
}

export function bullet(text: string): string {
  return wrap(text, '- ', '  ');
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** A reference resolved, with the description that stands beside it. */
export function resolved(schema: Schema): Schema {
  const name = nameIn(schema);
  if (name === null) return schema;
  const target = SCHEMAS[name];
  if (target === undefined) throw new Error(`there is no schema ${name}`);
  return schema.description === undefined ? target : { ...target, description: schema.description };
}

/** Names of schemas whose fields a page shows by themselves. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  Id: 'id',
  IdText: 'id as text',
  GivenId: 'id',
  ClientId: 'id',
  MessageId: 'message id',
  GivenMessageId: 'message id',
  ConversationKey: 'room or channel',
  PlaceKey: 'place',
  Time: 'time',
  GivenTime: 'time',
  Seq: 'number',
  NewestSeq: 'number',
  Nonce: 'nonce',
};

/** The type of a value in a few words: `text`, `id or null`, `list of ids`. */
export function typeText(schema: Schema): string {
  const name = nameIn(schema);
  if (name !== null) {
    const target = SCHEMAS[name];
    return SHORT_NAMES[name] ?? (isPlain(target) ? typeText(target as Schema) : code(name));
  }
  if (schema.const !== undefined) return code(String(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((each) => code(String(each))).join(', ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return [...new Set(alternatives.map(typeText))].join(' or ');
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.length === 0 ? 'any value' : types.map((type) => wordOf(type, schema)).join(' or ');
}

function isPlain(schema: Schema | undefined): boolean {
  return schema !== undefined && schema.properties === undefined && schema.oneOf === undefined;
}

/** A type within a list: in brackets where it is a choice. */
function inList(items: Schema): string {
  const text = typeText(items);
  return text.includes(' or ') ? `(${text})` : text;
}

function wordOf(type: string, { items, contentMediaType }: Schema): string {
  switch (type) {
    case 'string':
      return contentMediaType === 'application/octet-stream' ? 'file' : 'text';
    case 'integer':
      return 'integer';
    case 'boolean':
      return '`true` or `false`';
    case 'array':
      return `list of ${items === undefined ? 'values' : inList(items)}`;
    default:
      return type;
  }
}

/** The fields of an object, one a row. */
export function fieldTable(schema: Schema): string {
  const { properties = {}, required = [] } = resolved(schema);
  const rows = Object.entries(properties).map(([name, field]) => [
    code(name),
    typeText(field),
    required.includes(name) ? 'yes' : 'no',
    resolved(field).description ?? '',
  ]);
  return table(['field', 'value', 'always', 'meaning'], rows);
}
