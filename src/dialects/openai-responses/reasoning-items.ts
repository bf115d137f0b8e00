import type { JsonObject } from '../../contract/json.ts';
import { packReasoning } from '../shared/hidden-reasoning.ts';
import type { ItemEvent, ItemStatus, OutputItem, Place } from './output-item.ts';
import type { Shown } from './request.ts';

/** The words of the protocol for one place where the text of a thought may stand. */
interface ReasoningForm {
  /** The events before and after all of the text. */
  readonly part: string;
  /** The events of the text itself. */
  readonly text: string;
  /** The member of these events that counts the parts. There is always one part. */
  readonly index: string;
  readonly partType: string;
  /** The member of the item that holds the parts. */
  readonly member: 'content' | 'summary';
}

/** Reasoning as it was written. */
const written: ReasoningForm = {
  part: 'response.content_part',
  text: 'response.reasoning_text',
  index: 'content_index',
  partType: 'reasoning_text',
  member: 'content',
};

/** The same text where clients look for a summary. There is no second model to shorten it. */
const summary: ReasoningForm = {
  part: 'response.reasoning_summary_part',
  text: 'response.reasoning_summary_text',
  index: 'summary_index',
  partType: 'summary_text',
  member: 'summary',
};

export class ReasoningItem implements OutputItem {
  readonly #place: Place;
  readonly #show: Shown;
  readonly #form: ReasoningForm;
  #text = '';

  constructor(place: Place, show: Shown) {
    this.#place = place;
    this.#show = show;
    this.#form = show.reasoningSummary ? summary : written;
  }

  begin(): readonly ItemEvent[] {
    return [this.#event(`${this.#form.part}.added`, { part: this.#part() })];
  }

  grow(delta: string): readonly ItemEvent[] {
    this.#text += delta;
    return [this.#event(`${this.#form.text}.delta`, { delta })];
  }

  end(): readonly ItemEvent[] {
    return [
      this.#event(`${this.#form.text}.done`, { text: this.#text }),
      this.#event(`${this.#form.part}.done`, { part: this.#part() }),
    ];
  }

  object(status: ItemStatus): JsonObject {
    const done = status !== 'in_progress';
    return {
      type: 'reasoning',
      id: this.#place.item_id,
      status,
      summary: [],
      ...(this.#form.member === 'content' && { content: [] }),
      ...(done && { [this.#form.member]: [this.#part()] }),
      ...(done && this.#show.encryptedReasoning && { encrypted_content: packReasoning(this.#text) }),
    };
  }

  #event(type: string, special: JsonObject): ItemEvent {
    return { type, ...this.#place, [this.#form.index]: 0, ...special };
  }

  #part(): JsonObject {
    return { type: this.#form.partType, text: this.#text };
  }
}
