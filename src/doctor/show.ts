import { showBytes } from '../contract/amounts.ts';
import type { ModelOutlook, Report } from './examine.ts';

const marks = { ok: 'ok', warning: 'WARNING', problem: 'PROBLEM', skipped: 'skipped' } as const;

/** Cells of a table for people: state, name, words. */
export function checkRows({ system, checks }: Report): string[][] {
  return [
    ['', 'serve-model', system.version],
    ...checks.flatMap(({ name, state, words: [first = '', ...more] }) => [
      [marks[state], name, first],
      ...more.map((sentence) => ['', '', sentence]),
    ]),
  ];
}

/** What was measured, and what comes of it; empty where nothing was. */
export function outlookLines({ measured, models }: Report): string[] {
  if (!measured) return [];
  const { threads, cpu, gpu, small, bytes } = measured;
  return [
    `measured with ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${showBytes(bytes)} of weights at a time: ${ratesText(cpu)}`,
    ...(gpu ? [`on the GPU: ${ratesText(gpu)}`] : []),
    `the bundled demo model: ${rate(small.answer)} tokens/s, prompts at ${rate(small.prompt)} tokens/s`,
    'estimated from that, at best, for one answer at a time with a short prompt:',
    ...models.map((model) => `  ${outlookText(model)}`),
  ];
}

function ratesText({ reading }: { readonly reading: Readonly<Record<string, number>> }): string {
  return Object.entries(reading)
    .map(([format, each]) => `${format} ${showBytes(each)}/s`)
    .join(', ');
}

/** `Qwen3-4B Q4_K_M: fits with 32k, about 38 tokens/s` */
function outlookText({ model, bytes, fit, speed }: ModelOutlook): string {
  const name = `${model} (${showBytes(bytes)})`;
  if ('tooLarge' in fit) return `${name}: does not fit`;
  const slots = fit.slots === 1 ? '1 slot' : `${fit.slots} slots`;
  const { where } = fit;
  const place =
    where && where.gpuLayers < where.layers ? `, ${where.gpuLayers} of ${where.layers} layers on the GPU` : '';
  const pace = speed ? `, about ${rate(speed.answer)} tokens/s, prompts at about ${rate(speed.prompt)}` : '';
  return `${name}: fits with ${showContext(fit.contextSize)} in ${slots}${place}${pace}`;
}

function showContext(tokens: number): string {
  return tokens % 1024 === 0 ? `${tokens / 1024}k` : String(tokens);
}

/** Two figures: more would be a promise. */
function rate(tokens: number): string {
  return String(Number(tokens.toPrecision(2)));
}
