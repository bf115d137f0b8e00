import { Handle } from './handle.ts';
import type { Model } from './model.ts';
import { nullPointer, type Pointer } from './pointer.ts';

/** What a context takes of one. */
export type AdapterHandle = Pick<Adapter, 'pointer' | 'use'>;

/** A LoRA adapter of one model, to be freed before the model. */
export class Adapter extends Handle {
  readonly #model: Model;
  readonly #letModelGo: () => void;

  /** Throws when the file is none, or of another model. */
  constructor(model: Model, path: string) {
    const pointer = model.library.functions.llama_adapter_lora_init(model.pointer, path);
    if (pointer === nullPointer) throw new Error('the inference library refused the adapter');
    super('adapter', pointer);
    this.#model = model;
    this.#letModelGo = model.use();
  }

  protected release(pointer: Pointer): void {
    this.#model.library.functions.llama_adapter_lora_free(pointer);
    this.#letModelGo();
  }
}
