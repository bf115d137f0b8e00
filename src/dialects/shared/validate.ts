import type { z } from 'zod';
import type { ErrorCode } from '../../contract/errors.ts';
import { errorCodes, ServeError } from '../../contract/errors.ts';

type Issue = z.core.$ZodIssue;

/** A field that may be left out; null means the same, because clients write their unset fields as null. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** `wanted` ends the sentence "`field` is 3, but must be ...": for rules that zod has no word for. */
export function rule<T extends z.ZodType>(schema: T, holds: (value: z.output<T>) => boolean, wanted: string): T {
  return schema.refine(holds, { error: wanted, params: { wanted: true } });
}

/**
 * Checks a request body: the value, or a ServeError that names the first field at fault as the client spelled it. `at`
 * is where in the body the value was found.
 */
export function validate<T extends z.ZodType>(schema: T, body: unknown, at: readonly PropertyKey[] = []): z.output<T> {
  const checked = schema.safeParse(body);
  if (checked.success) return checked.data;
  const issue = deepest(checked.error.issues);
  const param = pathName([...at, ...issue.path]);
  const message = sentence(issue, param, valueAt(body, issue.path));
  throw new ServeError(codeOf(issue), message, param === '' ? {} : { param });
}

/** `messages[2].content`. */
export function pathName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, step) =>
      typeof step === 'number' ? `${name}[${step}]` : name === '' ? String(step) : `${name}.${String(step)}`,
    '',
  );
}

/**
 * The issue that helps most. Of a union's members the one that got furthest was meant: `content: [{type: "text"}]` lacks
 * its text, and nobody wants to hear that it is no string either.
 */
function deepest(issues: readonly Issue[]): Issue {
  const first = issues[0];
  if (first === undefined) return { code: 'custom', path: [], message: 'is not valid' };
  if (first.code !== 'invalid_union' || first.errors.length === 0) return first;
  const inner = first.errors.map((member) => deepest(member));
  const best = inner.reduce((left, right) => (rank(right) > rank(left) ? right : left));
  if (rank(best) === 0) return first;
  return { ...best, path: [...first.path, ...best.path] };
}

/** 0: another type was expected altogether. */
function rank(issue: Issue): number {
  return issue.path.length * 2 + (issue.code === 'invalid_type' ? 0 : 1);
}

function codeOf(issue: Issue): ErrorCode {
  const asked: unknown = issue.code === 'custom' ? issue.params?.code : undefined;
  return errorCodes.find((code) => code === asked) ?? 'invalid_request';
}

/** "`temperature` is 3, but must be at most 2." A custom issue says it all itself, unless it was made by `rule`. */
function sentence(issue: Issue, param: string, value: unknown): string {
  if (issue.code === 'custom' && issue.params?.wanted !== true) return issue.message;
  const name = param === '' ? 'The request body' : `\`${param}\``;
  if (value === undefined) return `${name} is missing: it must be ${wanted(issue)}.`;
  return `${name} is ${show(value)}, but must be ${wanted(issue)}.`;
}

function wanted(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeNames[issue.expected] ?? `of type ${issue.expected}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unit(issue.origin, issue.maximum)}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unit(issue.origin, issue.minimum)}`;
    case 'invalid_value':
      return oneOf(issue.values);
    case 'invalid_union':
      return unionNames(issue);
    default:
      return issue.message;
  }
}

function unionNames(issue: z.core.$ZodIssueInvalidUnion): string {
  if (issue.errors.length === 0) return oneOf('options' in issue ? (issue.options ?? []) : []);
  return [...new Set(issue.errors.flatMap((member) => member.slice(0, 1).map(wanted)))].join(' or ');
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? show(values[0]) : `one of ${values.map(show).join(', ')}`;
}

const typeNames: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

function unit(origin: string, count: number | bigint): string {
  const plural = Number(count) !== 1;
  if (origin === 'string') return plural ? ' characters long' : ' character long';
  if (origin === 'array') return plural ? ' entries long' : ' entry long';
  return '';
}

const shownCharacters = 60;

/** A value as JSON, cut: an error must not carry a whole prompt, nor cost as much as writing one. */
export function show(value: unknown): string {
  if (typeof value === 'string') return cut(JSON.stringify(value.slice(0, shownCharacters + 1)), value.length);
  if (Array.isArray(value)) {
    const text = value.length <= shownCharacters / 2 ? JSON.stringify(value) : '';
    return text === '' || text.length > shownCharacters ? `a list of ${value.length} entries` : text;
  }
  if (typeof value === 'object' && value !== null && Object.keys(value).length > shownCharacters / 2)
    return `an object of ${Object.keys(value).length} members`;
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return cut(text, text.length);
}

function cut(text: string, length: number): string {
  return length > shownCharacters ? `${text.slice(0, shownCharacters)}...` : text;
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}
