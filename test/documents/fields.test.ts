import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { refusedFields } from '../../src/dialects/openai-chat/unsupported.ts';
import { operations } from '../../src/http/openapi/operations.ts';
import { documents, readDocument, root } from '../support/documents.ts';
import { fieldTable } from '../support/field-table.ts';

/** `<!-- fields: POST /v1/chat/completions -->` ... `<!-- fields:end -->` */
const marks = /(<!-- fields: (\S+ \S+) -->\n)[\s\S]*?(<!-- fields:end -->)/g;
const guides = documents().filter((path) => path.startsWith('src/dialects/'));

it.each(guides)('%s has the fields that requests are checked with', (path) => {
  const document = readDocument(path);
  const expected = document.replace(marks, (_, begin: string, route: string, end: string) => {
    const body = operations[route]?.body;
    if (body === undefined) throw new Error(`${path}: ${route} has no body.`);
    return `${begin}${fieldTable(z.toJSONSchema(body, { io: 'input', unrepresentable: 'any', reused: 'inline' }))}\n${end}`;
  });
  if (process.env.UPDATE_README === '1') writeFileSync(join(root, path), expected);
  else expect(document, 'UPDATE_README=1 writes it').toBe(expected);
});

it('every API has a guide', () => {
  const folders = readdirSync(join(root, 'src/dialects'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
    .map(({ name }) => name);
  expect(folders.length).toBeGreaterThan(15);
  const missing = folders.filter((name) => !/^## Guide: /m.test(readDocument(`src/dialects/${name}/README.md`)));
  expect(missing).toEqual([]);
});

it('every route that takes a body has its fields in a guide', () => {
  const described = guides.flatMap((path) => [...readDocument(path).matchAll(marks)].map((match) => match[2]));
  const bodies = Object.entries(operations).flatMap(([route, { body }]) => (body ? [{ route, body }] : []));
  // Two routes with one schema have one table. Those of a member or two are told in words; chats in tables of their own.
  const inWords = /^POST \/(v1\/chat\/completions\/control|api\/mcp\/|api\/chats)/;
  const known = bodies.filter(({ route }) => described.includes(route)).map(({ body }) => body);
  expect(
    bodies.filter(({ route, body }) => !known.includes(body) && !inWords.test(route)).map(({ route }) => route),
  ).toEqual([]);
});

/** The names in backticks of the item of a list that begins so. */
function named(document: string, beginning: string): string[] {
  const [, item = ''] = new RegExp(`^- ${beginning}([\\s\\S]*?)(?=^- |^\\n|^$)`, 'm').exec(document) ?? [];
  return [...item.matchAll(/`([\w.]+)`/g)].map((match) => match[1] ?? '');
}

it('the guide to chat completions names all that is refused, and ignores nothing that is acted on', () => {
  const document = readDocument('src/dialects/openai-chat/README.md');
  const refused = named(document, 'Refused with a 400');
  expect(Object.keys(refusedFields).filter((field) => !refused.includes(field))).toEqual([]);
  const ignored = named(document, 'Ignored, because');
  expect(ignored.length).toBeGreaterThan(5);
  const { body } = operations['POST /v1/chat/completions'] ?? {};
  const acted = body instanceof z.ZodObject ? Object.keys(body.shape) : [];
  expect(acted.length).toBeGreaterThan(20);
  // Looked at for words that are not known, which are told in a warning.
  const lookedAt = ['service_tier', 'prompt_cache_retention', 'verbosity'];
  const both = ignored.filter((field) => acted.includes(field) || field in refusedFields);
  expect(both.toSorted()).toEqual(lookedAt.toSorted());
});
