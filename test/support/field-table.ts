import { z } from 'zod';

/** As much of a JSON Schema as the tables of the guides tell. */
interface Shape {
  readonly type?: string | readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly anyOf?: readonly Shape[] | undefined;
  readonly oneOf?: readonly Shape[] | undefined;
  readonly allOf?: readonly Shape[] | undefined;
  readonly properties?: Readonly<Record<string, Shape>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: Shape | undefined;
  readonly minimum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly maxItems?: number | undefined;
}

const shape: z.ZodType<Shape> = z.lazy(() =>
  z.object({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    anyOf: z.array(shape).optional(),
    oneOf: z.array(shape).optional(),
    allOf: z.array(shape).optional(),
    properties: z.record(z.string(), shape).optional(),
    required: z.array(z.string()).optional(),
    items: shape.optional(),
    minimum: z.number().optional(),
    exclusiveMinimum: z.number().optional(),
    maximum: z.number().optional(),
    maxLength: z.number().optional(),
    maxItems: z.number().optional(),
  }),
);

/** The fields that a request body is checked for, as a table of a document: the required ones first, then by name. */
export function fieldTable(schema: unknown): string {
  const members = membersOf(shape.parse(schema));
  const rows = [...members].sort(
    ([left, { needed: first }], [right, { needed: second }]) =>
      Number(second) - Number(first) || (left < right ? -1 : 1),
  );
  const cell = (text: string) => text.replaceAll('|', '\\|');
  return [
    '| field | takes |',
    '| --- | --- |',
    ...rows.map(([name, { needed, takes }]) => `| \`${name}\`${needed ? ' (needed)' : ''} | ${cell(takes)} |`),
  ].join('\n');
}

/** What its type does not tell: the dialect looks at it in code. */
const byItself = 'checked by itself';
const object = 'an object';

interface Member {
  readonly needed: boolean;
  readonly takes: string;
}

function membersOf({ properties = {}, required = [], allOf = [], anyOf = [] }: Shape): Map<string, Member> {
  const members = new Map<string, Member>();
  for (const [name, field] of Object.entries(properties)) {
    members.set(name, { needed: required.includes(name), takes: takes(field) });
  }
  for (const part of [...allOf, ...anyOf]) {
    for (const [name, member] of membersOf(part)) if (!members.has(name)) members.set(name, member);
  }
  return members;
}

/** null is left out: every field that need not be there takes it, and it means nothing. */
function takes(field: Shape): string {
  const ways = [...waysOf(field)];
  return ways.length === 0 || ways.includes(byItself) ? byItself : ways.join(', or ');
}

function waysOf(field: Shape): Set<string> {
  const options = field.anyOf ?? field.oneOf;
  if (options) {
    const ways = new Set(options.flatMap((option) => [...waysOf(option)]));
    // Of one kind of object its members are told; of several, what they are is told in words.
    const objects = [...ways].filter((way) => way.startsWith(object));
    if (objects.length < 2) return ways;
    return new Set([...[...ways].filter((way) => !objects.includes(way)), object]);
  }
  if (Array.isArray(field.type)) return new Set(field.type.flatMap((type) => [...waysOf({ ...field, type })]));
  if (field.type === 'null') return new Set();
  if (field.const !== undefined) return new Set([code(field.const)]);
  if (field.enum) return new Set([field.enum.map(code).join(', ')]);
  switch (field.type) {
    case 'string':
      return new Set([
        field.maxLength === undefined ? 'a text' : `a text of at most ${count(field.maxLength)} characters`,
      ]);
    case 'integer':
      return new Set([`a whole number${range(field)}`]);
    case 'number':
      return new Set([`a number${range(field)}`]);
    case 'boolean':
      return new Set(['true or false']);
    case 'array':
      return new Set([listOf(field)]);
    case 'object':
      return new Set([objectOf(field)]);
    default:
      return new Set([byItself]);
  }
}

function listOf({ items, maxItems }: Shape): string {
  const of = items === undefined ? '' : takes(items);
  const what = of === '' || of === byItself ? 'a list' : `a list of: ${of}`;
  return maxItems === undefined ? what : `${what} (at most ${count(maxItems)})`;
}

function objectOf({ properties = {} }: Shape): string {
  const names = Object.keys(properties);
  return names.length === 0 ? object : `${object}: ${names.map(code).join(', ')}`;
}

function range({ minimum, exclusiveMinimum, maximum }: Shape): string {
  if (exclusiveMinimum !== undefined)
    return `, more than ${count(exclusiveMinimum)}${maximum === undefined ? '' : ` and at most ${count(maximum)}`}`;
  const from = minimum === undefined || Math.abs(minimum) >= Number.MAX_SAFE_INTEGER ? undefined : count(minimum);
  const to = maximum === undefined || Math.abs(maximum) >= Number.MAX_SAFE_INTEGER ? undefined : count(maximum);
  if (from !== undefined && to !== undefined) return ` from ${from} to ${to}`;
  if (from !== undefined) return `, at least ${from}`;
  return to === undefined ? '' : `, at most ${to}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
