import type { ChatFormat, PromptOpening } from '../../src/contract/chat-format.ts';
import type { BlockEvent } from '../../src/contract/events.ts';
import type { Tool } from '../../src/contract/request.ts';
import { createOutputMachine, type OutputMachineOptions } from '../../src/output/output-machine.ts';

export const inText: PromptOpening = { block: 'text', generationPrompt: '' };
export const inThought: PromptOpening = { block: 'reasoning', generationPrompt: '<think>\n' };

export function tool(name: string, properties: Tool['parameters'] = {}): Tool {
  const parameters = { type: 'object', properties };
  return { name, parameters, definition: { type: 'function', function: { name, parameters } } };
}

export type Setup = Partial<Omit<OutputMachineOptions, 'format'>> & { readonly format: ChatFormat };

export function machineFor({ format, ...setup }: Setup) {
  let calls = 0;
  return createOutputMachine({
    format,
    opening: inText,
    tools: [],
    toolChoice: { type: 'auto' },
    newToolCallId: () => `call_${++calls}`,
    reasoningFormat: 'auto',
    autoHeal: true,
    checkToolNames: true,
    ...setup,
  });
}

/** Ways of cutting a text into equal pieces: each small size, then some larger ones, and the whole. */
export function chunkings(text: string): string[][] {
  const sizes = new Set([1, 2, 3, 4, 5, 6, 7, 8, 13, 29, 57, Math.max(1, text.length)]);
  return [...sizes].filter((size) => size <= Math.max(1, text.length)).map((size) => chunks(text, size));
}

export function chunks(text: string, size: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
  return pieces;
}

export function run(setup: Setup, pieces: readonly string[]): BlockEvent[] {
  const machine = machineFor(setup);
  const events = pieces.flatMap((piece) => machine.push(piece));
  return [...events, ...machine.end('complete')];
}

/** Events as readable lines, adjacent deltas joined: `text "..."`, `reasoning "..."`, `call id name arguments`, line breaks as ⏎. */
export function lines(events: readonly BlockEvent[]): string[] {
  const result: string[] = [];
  let head = '';
  let body = '';
  let isCall = false;
  for (const event of events) {
    if (event.type === 'block-start') {
      if (head !== '') throw new Error('A block begins inside another one.');
      isCall = event.kind === 'tool-call';
      head = event.kind === 'tool-call' ? `call ${event.id} ${event.name}` : event.kind;
      body = '';
      if (event.index !== result.length) throw new Error(`Block ${event.index} comes at place ${result.length}.`);
    } else if (event.type === 'block-delta') {
      if (event.delta === '') throw new Error('An empty delta.');
      body += event.delta;
    } else {
      result.push(`${head} ${isCall ? body.replaceAll('\n', '⏎') : JSON.stringify(body)}`);
      head = '';
    }
  }
  if (head !== '') throw new Error('The last block is not closed.');
  return result;
}
