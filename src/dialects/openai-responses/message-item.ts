import type { TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import { openaiLogprobs } from '../shared/openai-logprobs.ts';
import type { ItemEvent, ItemStatus, OutputItem, Place } from './output-item.ts';

export class MessageItem implements OutputItem {
  readonly #place: Place;
  readonly #withLogprobs: boolean;
  #text = '';
  #logprobs: JsonObject[] = [];

  constructor(place: Place, withLogprobs: boolean) {
    this.#place = place;
    this.#withLogprobs = withLogprobs;
  }

  begin(): readonly ItemEvent[] {
    return [{ type: 'response.content_part.added', ...this.#place, content_index: 0, part: outputText('', []) }];
  }

  grow(delta: string, tokens: readonly TokenLogprob[]): readonly ItemEvent[] {
    const logprobs = this.#withLogprobs ? openaiLogprobs(tokens) : [];
    this.#text += delta;
    this.#logprobs.push(...logprobs);
    return [{ type: 'response.output_text.delta', ...this.#place, content_index: 0, delta, logprobs }];
  }

  end(): readonly ItemEvent[] {
    const at = { ...this.#place, content_index: 0 };
    return [
      { type: 'response.output_text.done', ...at, text: this.#text, logprobs: this.#logprobs },
      { type: 'response.content_part.done', ...at, part: outputText(this.#text, this.#logprobs) },
    ];
  }

  object(status: ItemStatus): JsonObject {
    const content = status === 'in_progress' ? [] : [outputText(this.#text, this.#logprobs)];
    return { type: 'message', id: this.#place.item_id, status, role: 'assistant', content };
  }
}

function outputText(text: string, logprobs: readonly JsonObject[]): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs };
}
