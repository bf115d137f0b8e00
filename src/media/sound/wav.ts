import type { SampleSink } from './recorder.ts';
import { refusedSound } from './refused-sound.ts';

/** Of the chunk `fmt `: whole numbers, floating point, telephones' two logarithmic codes, and the kind that says it later. */
const codes = { whole: 1, floating: 3, aLaw: 6, muLaw: 7, extensible: 0xfffe } as const;

interface Layout {
  readonly rate: number;
  readonly channels: number;
  /** Bytes of one sample. */
  readonly width: number;
  read(view: DataView, at: number): number;
}

export function isWav(file: Uint8Array): boolean {
  const text = (from: number, to: number) => Buffer.from(file.subarray(from, to)).toString('latin1');
  return text(0, 4) === 'RIFF' && text(8, 12) === 'WAVE';
}

/** Frames that are handed on at once. */
const piece = 65_536;
/** What programs write that do not know yet how long it will be. */
const unknownLengths = [0, 0xffff_ffff];

/** 8, 16, 24 and 32 bits, 32 and 64 bits in floating point, and the two codes of telephones. */
export function decodeWav(file: Uint8Array, sink: SampleSink): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let layout: Layout | undefined;
  for (let at = 12; at + 8 <= file.length; ) {
    const id = Buffer.from(file.subarray(at, at + 4)).toString('latin1');
    const declared = view.getUint32(at + 4, true);
    const start = at + 8;
    if (id === 'fmt ') layout = layoutOf(view, start, declared);
    if (id === 'data') {
      if (!layout) throw refusedSound('this WAV file does not say how its samples are written');
      const isOpen = unknownLengths.includes(declared);
      if (!isOpen && start + declared > file.length) throw refusedSound('this WAV file is cut off');
      readData(view, start, isOpen ? file.length - start : declared, layout, sink);
      return;
    }
    at = start + declared + (declared % 2);
  }
  throw refusedSound('this WAV file has no samples');
}

function readData(view: DataView, start: number, bytes: number, layout: Layout, sink: SampleSink): void {
  const { rate, channels, width, read } = layout;
  const frame = width * channels;
  const samples = Math.floor(bytes / frame);
  sink.begin({ rate, channels, samples });
  for (let from = 0; from < samples; from += piece) {
    const count = Math.min(piece, samples - from);
    const each = Array.from({ length: channels }, () => new Float32Array(count));
    for (const [channel, values] of each.entries()) {
      const first = start + from * frame + channel * width;
      for (let at = 0; at < count; at++) values[at] = read(view, first + at * frame);
    }
    sink.add(each);
  }
}

function layoutOf(view: DataView, at: number, length: number): Layout {
  if (length < 16) throw refusedSound('this WAV file is damaged');
  const written = view.getUint16(at, true);
  const code = written === codes.extensible && length >= 26 ? view.getUint16(at + 24, true) : written;
  const [channels, rate, bits] = [
    view.getUint16(at + 2, true),
    view.getUint32(at + 4, true),
    view.getUint16(at + 14, true),
  ];
  const read = readers[`${code} ${bits}`];
  if (!read) throw refusedSound(`this WAV file is of a rare kind (code ${code}, ${bits} bits)`);
  return { rate, channels, width: bits / 8, read };
}

const readers: Readonly<Record<string, Layout['read']>> = {
  [`${codes.whole} 8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${codes.whole} 16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${codes.whole} 24`]: (view, at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23,
  [`${codes.whole} 32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${codes.floating} 32`]: (view, at) => view.getFloat32(at, true),
  [`${codes.floating} 64`]: (view, at) => view.getFloat64(at, true),
  [`${codes.aLaw} 8`]: (view, at) => aLaw(view.getUint8(at)),
  [`${codes.muLaw} 8`]: (view, at) => muLaw(view.getUint8(at)),
};

/** G.711: a sign, an exponent of three bits, four more; every other bit is turned. */
function aLaw(byte: number): number {
  const given = byte ^ 0x55;
  const exponent = (given >> 4) & 7;
  const steps = (given & 15) * 2 + 1;
  const size = exponent === 0 ? steps : (steps + 32) * 2 ** (exponent - 1);
  return ((given & 0x80 ? 1 : -1) * size) / 4096;
}

/** G.711: the same with every bit turned, and 33 added. */
function muLaw(byte: number): number {
  const given = ~byte & 0xff;
  const size = ((given & 15) * 2 + 33) * 2 ** ((given >> 4) & 7) - 33;
  return ((given & 0x80 ? -1 : 1) * size) / 8192;
}
