import type { BlockEvent } from '../../src/contract/events.ts';
import { machineFor, type Setup } from './machine.ts';

export interface Block {
  readonly kind: 'text' | 'reasoning' | 'tool-call';
  readonly name: string;
  readonly content: string;
}

export function blocksOf(events: readonly BlockEvent[]): Block[] {
  return events
    .filter((event) => event.type === 'block-start')
    .map((start) => ({
      kind: start.kind,
      name: start.kind === 'tool-call' ? start.name : '',
      content: events
        .map((event) => (event.type === 'block-delta' && event.index === start.index ? event.delta : ''))
        .join(''),
    }));
}

/** The blocks of an answer: `end` says whether the model was done or a limit cut it behind the text. */
export function answerBlocks(setup: Setup, text: string, end: 'complete' | 'cut'): Block[] {
  const machine = machineFor(setup);
  return blocksOf([...machine.push(text), ...machine.end(end)]);
}

/**
 * Whether blocks are a beginning of others: the same ones, the last of them perhaps not to its end. Whitespace at the
 * end of a text may turn out to separate it from what comes next.
 */
export function areBeginning(blocks: readonly Block[], whole: readonly Block[]): boolean {
  return blocks.every(({ kind, name, content }, at) => {
    const other = whole[at];
    if (at === blocks.length - 1 && kind === 'text' && content.trim() === '') return true;
    if (other?.kind !== kind || other.name !== name) return false;
    if (at < blocks.length - 1) return other.content === content;
    return other.content.startsWith(kind === 'text' ? content.trimEnd() : content);
  });
}

/** The same without the last character: where no call can come, one that may begin a marker is shown. */
export function withoutLast(blocks: readonly Block[]): Block[] {
  return blocks
    .map((block, at) => (at < blocks.length - 1 ? block : { ...block, content: block.content.slice(0, -1) }))
    .filter(({ content }) => content !== '');
}
