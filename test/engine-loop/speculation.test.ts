import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestGuess, lookupGuessers } from '../../src/engine/loop/speculation.ts';

function begun(...prompt: number[]) {
  const guesser = lookupGuessers().guessers(0);
  guesser.begin(Int32Array.from(prompt), 0);
  return guesser;
}

describe('looking the text up', () => {
  it('guesses what followed the last two tokens before', () => {
    expect(begun(1, 2, 3, 4, 5, 1).follow([2])).toEqual([3, 4, 5, 1, 2]);
    expect(begun(1, 2, 3).follow([4])).toEqual([]);
  });

  it('guesses from the answer too', () => {
    const guesser = begun(7);
    expect(guesser.follow([1, 2, 3])).toEqual([]);
    expect(guesser.follow([1])).toEqual([]);
    expect(guesser.follow([2])).toEqual([3, 1, 2]);
  });

  it('takes the latest place', () => {
    expect(begun(1, 2, 3, 1, 2, 4, 1).follow([2])).toEqual([4, 1, 2]);
  });

  it('follows tokens that came together', () => {
    expect(begun(1, 2, 3, 4).follow([9, 1, 2])).toEqual([3, 4, 9, 1, 2]);
  });

  it('guesses no more than so many tokens', () => {
    const text = Array.from({ length: 50 }, (_, token) => token);
    expect(begun(...text, 0).follow([1])).toEqual(text.slice(2, 2 + longestGuess));
  });

  it('forgets one run for the next, and one slot knows nothing of another', () => {
    const { guessers } = lookupGuessers();
    const [one, other] = [guessers(0), guessers(1)];
    one.begin(Int32Array.of(1, 2, 3), 0);
    other.begin(Int32Array.of(5), 0);
    expect(other.follow([1, 2])).toEqual([]);
    one.begin(Int32Array.of(8, 9), 0);
    expect(one.follow([1, 2])).toEqual([]);
  });

  it('tells pairs of large numbers apart', () => {
    const largest = 2 ** 24 - 1;
    expect(begun(largest, 0, 3, 0, largest).follow([0])).toEqual([3, 0, largest, 0]);
    expect(begun(1, 0, 3, 0).follow([2 ** 23])).toEqual([]);
  });

  it('guesses only what stood somewhere behind the same two tokens', () => {
    const tokens = fc.array(fc.nat(3), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(tokens, tokens, (prompt, answer) => {
        const guesser = begun(...prompt);
        const text = [...prompt];
        for (const token of answer) {
          const guesses = guesser.follow([token]);
          text.push(token);
          const pair = text.slice(-2).join();
          const isPlace = (at: number) => at >= 2 && text.slice(at - 2, at).join() === pair;
          const place = [...text.keys()].findLast(isPlace);
          expect(guesses).toEqual(place === undefined ? [] : text.slice(place, place + longestGuess));
        }
      }),
    );
  });
});
