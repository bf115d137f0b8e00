import { Random } from './random.ts';

const rate = 16_000;

/** What each kind of ear is compared on, and how long it is in seconds. */
const tinySounds = { silence: 1, tone: 2, noise: 1.3, instant: 0.1, long: 31, longer: 95 } as const;

export type TinySoundName = keyof typeof tinySounds;
export const tinySoundNames = Object.keys(tinySounds) as readonly TinySoundName[];

/** llama.cpp's quick attention takes seconds on a processor for heads as narrow as the tests', and shows nothing new with more. */
export const quicklyHeard: readonly TinySoundName[] = ['instant'];

/** One channel, 16,000 samples a second. */
export function tinySound(name: TinySoundName): Float32Array {
  const length = Math.round(tinySounds[name] * rate);
  if (name === 'silence') return new Float32Array(length);
  if (name === 'tone') return Float32Array.from({ length }, (_, at) => 0.5 * Math.sin((2 * Math.PI * 440 * at) / rate));
  const random = new Random(length);
  const noise = () => random.next() * 2 - 1;
  if (name === 'noise') return Float32Array.from({ length }, () => 0.3 * noise());
  // Rises and falls, so that no second is like another.
  let turn = 0;
  return Float32Array.from({ length }, (_, at) => {
    const second = at / rate;
    turn += (2 * Math.PI * (900 + 700 * Math.sin(second * 0.7) + 8 * second)) / rate;
    const loud = 0.35 + 0.3 * Math.sin(second * 1.9);
    return loud * Math.sin(turn) + 0.05 * noise();
  });
}
