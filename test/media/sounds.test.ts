import { describe, expect, it } from 'vitest';
import { decodeSound } from '../../src/media/sound/decode-sound.ts';
import { Recorder } from '../../src/media/sound/recorder.ts';
import { wavFile, wavKinds } from '../support/wav.ts';

const rate = 16_000;
const limits = { mostSeconds: 60 };
const decoded = (file: Uint8Array) => decodeSound(file, rate, limits);
const some = [0, 0.5, -0.5, 0.25, -1, 0.125];

describe('a WAV file', () => {
  it.each(Object.entries(wavKinds))('is read: %s', async (_, kind) => {
    const samples = await decoded(wavFile([some], { kind }));
    expect(samples).toEqual(Float32Array.from(some));
  });

  it.each([
    ['A-law', 6, [0xd5, 0x55, 0xaa, 0x2a, 0xc5], [8, -8, 32_256, -32_256, 264]],
    ['µ-law', 7, [0xff, 0x7e, 0x80, 0x00, 0xef], [0, -8, 32_124, -32_124, 132]],
  ])('is read: %s', async (_, code, bytes, wanted) => {
    const file = Buffer.from(wavFile([new Float32Array(bytes.length)], { kind: { code: 1, bits: 8 } }));
    file.writeUInt16LE(code, 20);
    file.set(bytes, file.length - bytes.length);
    expect([...(await decoded(file))].map((sample) => sample * 2 ** 15)).toEqual(wanted);
  });

  it('is mixed into one channel', async () => {
    const file = wavFile([
      [0.5, 0.5],
      [0, -0.5],
    ]);
    expect(await decoded(file)).toEqual(Float32Array.of(0.25, 0));
  });

  it('has other chunks before its samples', async () => {
    expect(await decoded(wavFile([some], { besides: 5 }))).toHaveLength(some.length);
  });

  it.each([0, 0xffff_ffff])('that does not know its length is read to its end: %i', async (declared) => {
    expect(await decoded(wavFile([some], { declared }))).toHaveLength(some.length);
  });
});

describe('what cannot be heard', () => {
  const nothing = new Float32Array(0);
  const header = wavFile([nothing]);
  it.each([
    ['no bytes', new Uint8Array(), 'it is empty. Sounds are WAV files'],
    ['another file', Buffer.from('%PDF-1.7 and more'), 'its first bytes are none that are known'],
    ['no samples', header, 'there is nothing in it'],
    ['a header of hours', wavFile([nothing], { declared: 2 * rate * 36_000 }), 'cut off'],
    ['half a header', header.subarray(0, 14), 'no samples'],
    ['no format', Buffer.concat([header.subarray(0, 12), header.subarray(36)]), 'does not say how'],
    ['a rare kind', wavFile([nothing], { kind: { code: 1, bits: 40 } }), 'of a rare kind (code 1, 40 bits)'],
    ['another rate', wavFile([some], { rate: 44_100 }), '44100 samples a second, and is taken with 16000 alone'],
    ['no rate', wavFile([some], { rate: 0 }), '0 samples a second'],
    ['no channels', wavFile([]), '0 channels'],
    ['many channels', wavFile(Array.from({ length: 65 }, () => some)), '65 channels'],
    ['no numbers', wavFile([[0.1, Number.NaN]], { kind: wavKinds['float 32'] }), 'no numbers'],
    ['endless numbers', wavFile([[Number.POSITIVE_INFINITY]], { kind: wavKinds['float 64'] }), 'no numbers'],
    ['more than is allowed', wavFile([new Float32Array(61 * rate)]), 'longer than 60 seconds (--audio-max-seconds)'],
  ])('%s', async (_, file, why) => {
    const error = await decoded(file).catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: 'invalid_request', message: expect.stringContaining(why) });
  });

  it('ends where nobody foresaw it', async () => {
    await expect(decoded(header.subarray(0, 30))).rejects.toThrow('this WAV file is damaged or cut off');
  });
});

describe('a recorder', () => {
  it('refuses what is declared to be too long before there is any of it', () => {
    const recorder = new Recorder(rate, limits);
    expect(() => recorder.begin({ rate, channels: 1, samples: 61 * rate })).toThrow('longer than 60 seconds');
  });

  it('counts what nobody has declared', () => {
    const recorder = new Recorder(rate, { mostSeconds: 1 });
    recorder.begin({ rate, channels: 2 });
    const half = new Float32Array(rate / 2);
    for (let times = 0; times < 2; times++) recorder.add([half, half]);
    expect(() => recorder.add([half, half])).toThrow('longer than 1 seconds');
    expect(recorder.finish()).toHaveLength(rate);
  });
});
