import type { BlockStart } from '../../contract/events.ts';
import { CustomCallItem, FunctionCallItem, SearchCallItem } from './call-items.ts';
import { MessageItem } from './message-item.ts';
import type { OutputItem, Place } from './output-item.ts';
import { ReasoningItem } from './reasoning-items.ts';
import type { Shown } from './request.ts';
import { McpCallItem } from './server-items.ts';
import type { DeclaredTool } from './tool-directory.ts';

export interface ItemContext {
  readonly outputIndex: number;
  readonly newId: (prefix: string) => string;
  readonly show: Shown;
  /** The turn of the answer, from 1. */
  readonly round: number;
  readonly findTool: (name: string) => DeclaredTool;
}

/** A block has begun: which item it becomes. */
export function openItem(block: BlockStart, context: ItemContext): OutputItem {
  const place = (prefix: string): Place => ({
    item_id: context.newId(prefix),
    output_index: context.outputIndex,
  });
  switch (block.kind) {
    case 'text':
      return new MessageItem(place('msg_'), context.show.logprobs);
    case 'reasoning':
      return new ReasoningItem(place('rs_'), context.show);
    case 'tool-call': {
      if (block.server !== undefined) return new McpCallItem(place('mcp_'), block, context.round);
      const tool = context.findTool(block.name);
      if (tool.kind === 'custom') return new CustomCallItem(place('ctc_'), block.id, tool);
      if (tool.kind === 'search') return new SearchCallItem(place('tsc_'), block.id);
      return new FunctionCallItem(place('fc_'), block.id, tool);
    }
    default:
      return block satisfies never;
  }
}
