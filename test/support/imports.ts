import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export interface Import {
  readonly file: string;
  readonly target: string;
  readonly isType: boolean;
}

export function codeFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(tsx?|mjs)$/.test(name))
    .map((name) => join(folder, name));
}

/** All imports of the files in a folder, of types too, also those that are made while the program runs. */
export function importsIn(folder: string): Import[] {
  return codeFiles(folder).flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return [...text.matchAll(/(?<![/\w])\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(({ 1: target = '', index }) => ({
      file,
      target,
      isType: importsTypes(text.slice(0, index)),
    }));
  });
}

/** Told by what stands before the word `from`. */
function importsTypes(before: string): boolean {
  const begin = Math.max(before.lastIndexOf('\nimport '), before.lastIndexOf('\nexport ')) + 1;
  return /^(?:import|export) type [^;]*$/.test(before.slice(begin));
}

/** File -> the files that it imports. */
export function edgesOf(imports: readonly Import[]): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  for (const { file, target } of imports)
    if (target.startsWith('.')) edges.set(file, [...(edges.get(file) ?? []), resolve(dirname(file), target)]);
  return edges;
}

/** Groups of nodes that all reach each other (Tarjan's strongly connected components), of two and more. */
export function circles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    low.set(node, order.get(node) ?? 0);
    open.push(node);
    for (const next of edges.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (open.includes(next)) low.set(node, Math.min(low.get(node) ?? 0, low.get(next) ?? 0));
    }
    if (low.get(node) !== order.get(node)) return;
    const group = open.splice(open.indexOf(node)).reverse();
    if (group.length > 1) found.push(group);
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return found;
}
