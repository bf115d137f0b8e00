import type { JsonObject } from '../../contract/json.ts';
import { packReasoning } from '../shared/hidden-reasoning.ts';
import type { ItemEvent, ItemStatus, OutputItem, Place } from './output-item.ts';
import type { Shown } from './request.ts';

/** Reasoning as it was written. */
export class ReasoningTextItem implements OutputItem {
  readonly #place: Place;
  readonly #show: Shown;
  #text = '';

  constructor(place: Place, show: Shown) {
    this.#place = place;
    this.#show = show;
  }

  begin(): readonly ItemEvent[] {
    return [{ type: 'response.content_part.added', ...this.#place, content_index: 0, part: reasoningText('') }];
  }

  grow(delta: string): readonly ItemEvent[] {
    this.#text += delta;
    return [{ type: 'response.reasoning_text.delta', ...this.#place, content_index: 0, delta }];
  }

  end(): readonly ItemEvent[] {
    const at = { ...this.#place, content_index: 0 };
    return [
      { type: 'response.reasoning_text.done', ...at, text: this.#text },
      { type: 'response.content_part.done', ...at, part: reasoningText(this.#text) },
    ];
  }

  object(status: ItemStatus): JsonObject {
    const done = status !== 'in_progress';
    const content = done ? [reasoningText(this.#text)] : [];
    return {
      type: 'reasoning',
      id: this.#place.item_id,
      status,
      summary: [],
      content,
      ...(done && packed(this.#text, this.#show)),
    };
  }
}

function reasoningText(text: string): JsonObject {
  return { type: 'reasoning_text', text };
}

function packed(text: string, show: Shown): JsonObject {
  return show.encryptedReasoning ? { encrypted_content: packReasoning(text) } : {};
}

/** The same text where clients look for a summary. There is no second model to shorten it. */
export class ReasoningSummaryItem implements OutputItem {
  readonly #place: Place;
  readonly #show: Shown;
  #text = '';

  constructor(place: Place, show: Shown) {
    this.#place = place;
    this.#show = show;
  }

  begin(): readonly ItemEvent[] {
    return [{ type: 'response.reasoning_summary_part.added', ...this.#place, summary_index: 0, part: summaryText('') }];
  }

  grow(delta: string): readonly ItemEvent[] {
    this.#text += delta;
    return [{ type: 'response.reasoning_summary_text.delta', ...this.#place, summary_index: 0, delta }];
  }

  end(): readonly ItemEvent[] {
    const at = { ...this.#place, summary_index: 0 };
    return [
      { type: 'response.reasoning_summary_text.done', ...at, text: this.#text },
      { type: 'response.reasoning_summary_part.done', ...at, part: summaryText(this.#text) },
    ];
  }

  object(status: ItemStatus): JsonObject {
    const done = status !== 'in_progress';
    const summary = done ? [summaryText(this.#text)] : [];
    return { type: 'reasoning', id: this.#place.item_id, status, summary, ...(done && packed(this.#text, this.#show)) };
  }
}

function summaryText(text: string): JsonObject {
  return { type: 'summary_text', text };
}
