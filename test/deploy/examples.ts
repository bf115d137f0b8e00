import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

export const folder = resolve(import.meta.dirname, '../../scripts/deploy');
export const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.yaml'),
);

export function documents(file: string): unknown[] {
  return parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
}

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.union([z.number(), z.string()]) }) });
const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  startupProbe: probe,
  readinessProbe: probe,
  livenessProbe: probe,
});
export type Container = z.output<typeof container>;

/** Every container of every file, wherever in its document it stands. */
export function containers(): [string, Container][] {
  const found: [string, Container][] = [];
  const walk = (file: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('containers' in value && Array.isArray(value.containers))
      for (const entry of value.containers) found.push([file, container.parse(entry)]);
    for (const member of Object.values(value)) walk(file, member);
  };
  for (const file of files) for (const document of documents(file)) walk(file, document);
  return found;
}
