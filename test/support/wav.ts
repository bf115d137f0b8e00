/** How samples are written into a WAV file. */
export interface WavKind {
  readonly code: number;
  readonly bits: number;
  /** As recorders write it that have more than two channels. */
  readonly extensible?: boolean;
}

export const wavKinds = {
  'pcm 8': { code: 1, bits: 8 },
  'pcm 16': { code: 1, bits: 16 },
  'pcm 24': { code: 1, bits: 24 },
  'pcm 32': { code: 1, bits: 32 },
  'float 32': { code: 3, bits: 32 },
  'float 64': { code: 3, bits: 64 },
  extensible: { code: 1, bits: 16, extensible: true },
} as const satisfies Record<string, WavKind>;

export interface WavOptions {
  readonly kind?: WavKind;
  readonly rate?: number;
  /** Instead of the length of the samples, in bytes. */
  readonly declared?: number;
  /** A chunk of this many bytes in front of the others. */
  readonly besides?: number;
}

/** A WAV file of channels as long as one another. */
export function wavFile(channels: readonly ArrayLike<number>[], options: WavOptions = {}): Uint8Array {
  const { kind = wavKinds['pcm 16'], rate = 16_000, besides = 0 }: WavOptions = options;
  const samples = channels[0]?.length ?? 0;
  const bytes = (samples * channels.length * kind.bits) / 8;
  const format = kind.extensible ? 40 : 16;
  const extra = besides > 0 ? 8 + besides + (besides % 2) : 0;
  const buffer = Buffer.alloc(12 + extra + 8 + format + 8 + bytes);
  let at = buffer.write('RIFF', 0, 'latin1');
  at = buffer.writeUInt32LE(buffer.length - 8, at);
  at += buffer.write('WAVE', at, 'latin1');
  if (besides > 0) {
    buffer.write('LIST', at, 'latin1');
    buffer.writeUInt32LE(besides, at + 4);
    at += extra;
  }
  at += buffer.write('fmt ', at, 'latin1');
  at = buffer.writeUInt32LE(format, at);
  buffer.writeUInt16LE(kind.extensible ? 0xfffe : kind.code, at);
  buffer.writeUInt16LE(channels.length, at + 2);
  buffer.writeUInt32LE(rate, at + 4);
  buffer.writeUInt32LE((rate * channels.length * kind.bits) / 8, at + 8);
  buffer.writeUInt16LE((channels.length * kind.bits) / 8, at + 12);
  buffer.writeUInt16LE(kind.bits, at + 14);
  if (kind.extensible) buffer.writeUInt16LE(kind.code, at + 24);
  at += format;
  at += buffer.write('data', at, 'latin1');
  at = buffer.writeUInt32LE(options.declared ?? bytes, at);
  for (let sample = 0; sample < samples; sample++) {
    for (const channel of channels) at = writeSample(buffer, channel[sample] ?? 0, at, kind);
  }
  return buffer;
}

function writeSample(buffer: Buffer, value: number, at: number, { code, bits }: WavKind): number {
  if (code === 3) return bits === 32 ? buffer.writeFloatLE(value, at) : buffer.writeDoubleLE(value, at);
  const most = 2 ** (bits - 1);
  const whole = Math.max(-most, Math.min(most - 1, Math.round(value * most)));
  return bits === 8 ? buffer.writeUInt8(whole + 128, at) : buffer.writeIntLE(whole, at, bits / 8);
}
