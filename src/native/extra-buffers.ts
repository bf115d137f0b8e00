import koffi from 'koffi';
import { GgmlBackendDevType } from './functions.ts';
import type { NativeLibrary } from './library.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import { Tensors, tensorTypes } from './tensors.ts';

/** `ggml_backend_dev_get_extra_bufts_t` of ggml-backend.h, which is a type there and so in no table. */
const givesBuffers = koffi.proto('uint64', ['uint64']);
/** The rows that llama.cpp tries a product with (`weight_buft_supported`). */
const triedRows = 512;

/**
 * Memory in which the processor keeps a matrix of weights [width, height] in another order, to multiply it more quickly:
 * that which llama.cpp would load it into. Undefined: it has none for these.
 */
export function extraBufferType(
  library: NativeLibrary,
  { type, width, height }: { readonly type: number; readonly width: number; readonly height: number },
): Pointer | undefined {
  const { functions } = library;
  const layout = library.layout('ggml_tensor');
  const device = functions.ggml_backend_dev_by_type(GgmlBackendDevType.CPU);
  return extraBufferTypes(library, device).find((bufferType) => {
    const space = new Tensors(library, 4);
    const buffer = functions.ggml_backend_buft_alloc_buffer(bufferType, 0);
    try {
      const weights = space.create(type, [width, height]);
      const product = functions.ggml_mul_mat(
        space.pointer,
        weights.pointer,
        space.create(tensorTypes.f32, [width, triedRows]).pointer,
      );
      // It has no data, but lies there: what is asked is whether the product could be computed then.
      new BigUint64Array(library.view(weights.pointer, layout.size), layout.offsetOf('buffer'), 1)[0] = buffer;
      return functions.ggml_backend_dev_supports_op(device, product);
    } finally {
      functions.ggml_backend_buffer_free(buffer);
      space.free();
    }
  });
}

function extraBufferTypes({ functions, view }: NativeLibrary, device: Pointer): Pointer[] {
  const registration = functions.ggml_backend_dev_backend_reg(device);
  const address = functions.ggml_backend_reg_get_proc_address(registration, 'ggml_backend_dev_get_extra_bufts');
  const list = address === nullPointer ? nullPointer : (BigInt(koffi.call(address, givesBuffers, device)) as Pointer);
  if (list === nullPointer) return [];
  const found: Pointer[] = [];
  // It ends in a null pointer.
  for (;;) {
    const [next = 0n] = new BigUint64Array(view(list, 8 * (found.length + 1)), 8 * found.length, 1);
    if (next === nullPointer) return found;
    found.push(next as Pointer);
  }
}
