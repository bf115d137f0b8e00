import type { NativeTable } from '../../src/native/table.ts';
import type { Declarations, Field, FunctionDeclaration } from './read-headers.ts';

const generated = '// Written by `npm run native:tables`. Do not edit.\n';

/** Source of `src/native/tables/<release>.ts`. */
export function tableSource(table: NativeTable): string {
  const entries = Object.entries(table).map(([name, value]) => `  ${name}: ${literal(value, '  ')},\n`);
  return `${generated}
import type { NativeTable } from '../table.ts';

export const table: NativeTable = {
${entries.join('')}};
`;
}

function literal(value: unknown, indent: string): string {
  if (Array.isArray(value)) return `[${value.map((each) => literal(each, indent)).join(', ')}]`;
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const deeper = `${indent}  `;
  const entries = Object.entries(value).map(([name, each]) => `${deeper}${key(name)}: ${literal(each, deeper)},\n`);
  return entries.length > 0 ? `{\n${entries.join('')}${indent}}` : '{}';
}

function key(name: string): string {
  return /^[a-z_]\w*$/i.test(name) ? name : `'${name}'`;
}

/** Source of `src/native/functions.ts`: the same as TypeScript types, and what the headers name. */
export function typesSource({ functions, structs, enums, constants, leftOut }: Declarations): string {
  const home = (name: FunctionDeclaration['home']) => functions.filter((each) => each.home === name).map(signature);
  const absent = [...leftOut].map(([name, reason]) => ` * - \`${name}\`: ${reason}.\n`);
  return `${generated}
import type { Pointer, PointerArgument, TextArgument } from './pointer.ts';

/**
 * What the libraries export, by its name in C. Left out, besides what is deprecated:
${absent.join('')} */
export interface NativeFunctions {
${home('library').join('')}}

/** What only a backend has: found by name in its registration. */
export interface BackendFunctions {
${home('backend').join('')}}

/** Structs by their names in C. */
export interface NativeStructs {
${[...structs.keys()].map((name) => `  ${name}: ${pascal(name)};\n`).join('')}}
${[...structs].map(([name, fields]) => structType(name, fields)).join('')}${[...enums].map(([name, values]) => enumObject(name, values)).join('')}
${[...constants].map(([name, value]) => `export const ${name} = ${value};\n`).join('')}`;
}

const reserved = new Set([
  'function',
  'new',
  'in',
  'var',
  'default',
  'delete',
  'this',
  'case',
  'class',
  'with',
  'enum',
]);

function signature({ name, result, parameters }: FunctionDeclaration): string {
  const list = parameters.map(({ name: each, type }) => `${reserved.has(each) ? `${each}_` : each}: ${argument(type)}`);
  const one = `  ${name}(${list.join(', ')}): ${resultType(result)};\n`;
  return one.length <= 121
    ? one
    : `  ${name}(\n${list.map((each) => `    ${each},\n`).join('')}  ): ${resultType(result)};\n`;
}

function argument(type: string): string {
  if (type === 'pointer') return 'PointerArgument';
  if (type === 'string') return 'TextArgument';
  return wide.has(type) ? 'number | bigint' : scalar(type);
}

const wide = new Set(['int64', 'uint64', 'size_t']);

function resultType(type: string): string {
  if (type === 'pointer') return 'Pointer';
  return type === 'string' ? 'string | null' : scalar(type);
}

function scalar(type: string): string {
  if (type === 'void') return 'void';
  if (type === 'bool') return 'boolean';
  return /^(u?int\d+|size_t|float|double)$/.test(type) ? 'number' : pascal(type);
}

function structType(name: string, fields: readonly Field[]): string {
  const lines = fields
    .filter((field) => !field.name.includes('|'))
    .map((field) => `  ${field.name}: ${fieldType(field.type)};\n`);
  return `\nexport interface ${pascal(name)} {\n${lines.join('')}}\n`;
}

/** An address is null where C has NULL, and may be given as 0n. */
function fieldType(type: string): string {
  const [, element = '', count] = /^(\w+)(?:\[(\d+)\])?$/.exec(type) ?? [];
  const one = element === 'pointer' ? 'Pointer | null' : resultType(element);
  return count === undefined ? one : `ArrayLike<${wide.has(element) ? 'number | bigint' : one}>`;
}

function enumObject(name: string, values: ReadonlyMap<string, number>): string {
  const prefix = commonPrefix([...values.keys()]);
  const lines = [...values].map(([each, value]) => `  ${key(each.slice(prefix.length))}: ${value},\n`);
  return `\nexport const ${pascal(name)} = {\n${lines.join('')}} as const;\n`;
}

/** Up to an underscore. */
function commonPrefix(names: readonly string[]): string {
  const [first = '', ...others] = names;
  const cuts = [...first.matchAll(/_/g)].map((match) => match.index + 1).reverse();
  const cut = cuts.find((length) => others.every((each) => each.startsWith(first.slice(0, length))));
  return first.slice(0, cut ?? 0);
}

/** ggml_backend_dev_t -> GgmlBackendDevT */
function pascal(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
