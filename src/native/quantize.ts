import type { LlamaModelQuantizeParams } from './functions.ts';
import type { NativeLibrary } from './library.ts';
import { nullPointer, type Pointer } from './pointer.ts';

export interface QuantizeParameters {
  /** llama_ftype. */
  readonly type: number;
  readonly threads: number;
  /** Tensors that are quantized already may be so once more. */
  readonly requantize: boolean;
  /** Nothing is written: the log tells what would become of each tensor. */
  readonly measureOnly: boolean;
  /** How much each input of a tensor matters, by the tensor's name. All finite. */
  readonly importance?: ReadonlyMap<string, Float32Array>;
}

/** Of rows in memory besides the mapped file; the library's own 8 GiB are more than many machines have to spare. */
const mostBuffered = 512 * 1024 ** 2;

/**
 * Takes minutes and all threads, and cannot be interrupted but with its process. Its log names each tensor when its turn
 * comes, and the reason when it gives false. A file that is no sound model may end the process.
 */
export function quantizeFile(
  library: NativeLibrary,
  { input, output }: { readonly input: string; readonly output: string },
  { type, threads, requantize, measureOnly, importance }: QuantizeParameters,
): boolean {
  const { functions } = library;
  const kept: ArrayBufferView[] = [];
  const params: LlamaModelQuantizeParams = {
    ...functions.llama_model_quantize_default_params(),
    nthread: threads,
    ftype: type,
    allow_requantize: requantize,
    dry_run: measureOnly,
    imatrix: importance ? importanceList(library, importance, kept) : null,
    max_buf_size: mostBuffered,
  };
  const result = functions.llama_model_quantize(input, output, library.write('llama_model_quantize_params', params));
  // Held until here, since JavaScript does not see that their addresses are in use.
  kept.length = 0;
  return result === 0;
}

/** An array that ends with an entry without a name. What it points to is put into `kept`. */
function importanceList(
  library: NativeLibrary,
  importance: ReadonlyMap<string, Float32Array>,
  kept: ArrayBufferView[],
): Pointer {
  const keep = <View extends ArrayBufferView>(view: View): Pointer => {
    kept.push(view);
    return library.address(view);
  };
  const { size, offsetOf } = library.layout('llama_model_imatrix_data');
  const list = new DataView(new ArrayBuffer(size * (importance.size + 1)));
  let at = 0;
  for (const [name, values] of importance) {
    list.setBigUint64(at + offsetOf('name'), keep(Buffer.from(`${name}\0`, 'utf8')), true);
    list.setBigUint64(at + offsetOf('data'), keep(values), true);
    list.setBigUint64(at + offsetOf('size'), BigInt(values.length), true);
    at += size;
  }
  list.setBigUint64(at + offsetOf('name'), nullPointer, true);
  return keep(list);
}
