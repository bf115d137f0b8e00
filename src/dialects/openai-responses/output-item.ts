import type { TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/** An event of the stream without the numbers that the encoder adds: type and what is special to it. */
export type ItemEvent = JsonObject & { readonly type: string };

/** One output item while it grows. Its events carry item_id and output_index already. */
export interface OutputItem {
  begin(): readonly ItemEvent[];
  grow(delta: string, logprobs: readonly TokenLogprob[]): readonly ItemEvent[];
  /** What must come before `output_item.done`. */
  end(): readonly ItemEvent[];
  /** The item as it stands now. */
  object(status: ItemStatus): JsonObject;
}

/** Where an item stands in its stream; part of each of its events. */
export interface Place {
  readonly item_id: string;
  readonly output_index: number;
}
