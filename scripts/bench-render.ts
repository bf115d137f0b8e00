import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { CompileTemplate } from '../src/contract/chat-format.ts';
import type { JsonObject } from '../src/contract/json.ts';
import type { ChatPrompt } from '../src/contract/request.ts';
import { templateCompiler } from '../src/engine/jinja.ts';
import { findLibrary } from '../src/native/find-library.ts';
import { detectChatFormat } from '../src/output/detect-family.ts';

import { createPromptRenderer } from '../src/prompt/renderer.ts';
import { histories } from '../test/engine/histories.ts';
import { vocabulary } from '../test/prompt/chat.ts';

/**
 * `npm run bench:render -- TEMPLATE_OR_FOLDER`: milliseconds of rendering a history of 50 messages, side by side: by
 * llama.cpp's engine alone on the same variables, and by the product.
 */
const [source] = process.argv.slice(2);
if (!source) {
  console.error('Usage: npm run bench:render -- TEMPLATE_OR_FOLDER');
  process.exit(1);
}
const rounds = 21;
const compileNatively = templateCompiler(findLibrary(false));

interface Row {
  readonly template: string;
  readonly 'engine alone': number;
  readonly product: number;
}

function measure(template: string, text: string, prompt: ChatPrompt): Row {
  let variables: JsonObject = {};
  const compile: CompileTemplate = (written) => {
    const render = compileNatively(written);
    return (given) => {
      variables = given;
      return render(given);
    };
  };
  const options = { template: text, vocabulary, now: () => new Date(0), format: detectChatFormat(text), compile };
  const product = createPromptRenderer(options);
  product.render(prompt);
  const given = variables;
  const bare = compileNatively(text);
  // JavaScript gets quicker with use.
  for (let count = 0; count < 30; count++) product.render(prompt);
  const [alone = 0, whole = 0] = medians([() => attempt(() => bare(given)), () => product.render(prompt)]);
  return { template, 'engine alone': alone, product: whole };
}

/** Some templates render only with the help of the second engine. */
function attempt(render: () => string): string {
  try {
    return render();
  } catch {
    return '';
  }
}

function medians(renders: readonly (() => unknown)[]): number[] {
  const times = renders.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, render] of renders.entries()) {
      const begun = performance.now();
      render();
      times[index]?.push(performance.now() - begun);
    }
  }
  return times.map((all) => rounded(middle(all)));
}

function middle(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0;
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}

const isFolder = statSync(source).isDirectory();
const folder = isFolder ? source : dirname(source);
const files = (isFolder ? readdirSync(source) : [basename(source)]).filter((file) => file.endsWith('.jinja')).sort();
for (const [history, prompt] of Object.entries(histories)) {
  const rows = files.map((file) => measure(basename(file, '.jinja'), readFileSync(join(folder, file), 'utf8'), prompt));
  console.log(`\n50 messages, ${history}: median of ${rounds}, ms`);
  console.table(rows);
  for (const column of ['engine alone', 'product'] as const) {
    const all = rows.map((row) => row[column]);
    const slow = all.filter((time) => time > 2).length;
    console.log(`${column}: median ${middle(all)}, worst ${Math.max(...all)}, above 2 ms: ${slow} of ${all.length}`);
  }
}
process.exit(0);
