import type { BlockEvent } from '../contract/events.ts';
import type { TextPipelineOptions } from './text-pipeline.ts';

/** Raw completions: every character the model writes is the one text block. */
export function createPlainMachine(): TextPipelineOptions['machine'] {
  let open = false;
  return {
    state: 'text',
    unread: 0,
    repairs: 0,
    push(text): BlockEvent[] {
      const delta: BlockEvent = { type: 'block-delta', index: 0, delta: text };
      if (open) return [delta];
      open = true;
      return [{ type: 'block-start', index: 0, kind: 'text' }, delta];
    },
    end(): BlockEvent[] {
      return open ? [{ type: 'block-end', index: 0 }] : [];
    },
  };
}
