/** A call has room for so many parameters; a multiple of 3 goes into base64 without a rest. */
const pieceBytes = 0x6000;

export async function toBase64(bytes: Blob): Promise<string> {
  const all = new Uint8Array(await bytes.arrayBuffer());
  const parts: string[] = [];
  for (let at = 0; at < all.length; at += pieceBytes)
    parts.push(btoa(String.fromCharCode(...all.subarray(at, at + pieceBytes))));
  return parts.join('');
}

export function fromBase64(text: string): Blob {
  return new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))]);
}
