import { describe, expect, it } from 'vitest';
import { qualifiedName } from '../../../src/dialects/openai-responses/tool-directory.ts';
import { imageAt, imageOf } from '../../../src/dialects/shared/images.ts';
import { blocksOf } from '../../../src/ui/markdown/blocks.ts';

const long = 100_000;

/** What a call takes, in milliseconds; what it throws is its answer too. */
function timeOf(call: () => unknown): number {
  const startedAt = performance.now();
  try {
    call();
  } catch {
    // Refused.
  }
  return performance.now() - startedAt;
}

/** Rules that looked at every place anew for the end of a run took more than ten thousand times as long. */
const allowance = 500;

describe('Long hostile input is looked through once', () => {
  const plain = 'A'.repeat(long);
  const image = (data: string) => () => imageOf(data, 'image');
  const cases: Readonly<Record<string, { readonly hostile: () => unknown; readonly friendly: () => unknown }>> = {
    'white space in base64': { hostile: image(`A${' '.repeat(long)}!`), friendly: image(plain) },
    'padding in base64': { hostile: image(`A${'='.repeat(long)}!`), friendly: image(plain) },
    'commas in a data: URI': {
      hostile: () => imageAt(`data:image/png${';base64'.repeat(long / 7)} x,`, 'image'),
      friendly: () => imageAt(`data:image/png;base64,${plain}`, 'image'),
    },
    'underscores in the name of a namespace': {
      hostile: () => qualifiedName('tool', `${'_'.repeat(long)}x`),
      friendly: () => qualifiedName('tool', plain),
    },
    'a fence that never ends': {
      hostile: () => blocksOf('`'.repeat(long)),
      friendly: () => blocksOf(plain),
    },
  };

  it.each(Object.entries(cases))('%s', (_, { hostile, friendly }) => {
    friendly();
    const usual = Math.max(timeOf(friendly), 0.02);
    expect(timeOf(hostile) / usual).toBeLessThan(allowance);
  });

  it.each(['', '!', 'AA=A', 'AAA===', 'AA =', 'A A\n=='])('base64 as before: %j', (data) => {
    const fine = data === 'AA =' || data === 'A A\n==';
    const read = () => imageOf(data, 'image');
    if (fine) expect(read()).toMatchObject({ source: { base64: data } });
    else expect(read).toThrow('is no base64');
  });
});
