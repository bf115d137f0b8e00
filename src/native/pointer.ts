declare const brand: unique symbol;

/** An address in the process. `nullPointer` is none. */
export type Pointer = bigint & { readonly [brand]: 'native address' };

export const nullPointer = 0n as Pointer;

/** A view passes the address of its first byte, for the time of the call. */
export type PointerArgument = Pointer | ArrayBufferView | null;

/** A view holds UTF-8 and, unless the function takes a length, a zero byte at the end. */
export type TextArgument = string | ArrayBufferView | null;
