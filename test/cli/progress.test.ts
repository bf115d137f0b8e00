import { describe, expect, it } from 'vitest';
import { createProgress } from '../../src/cli/progress.ts';
import { showBytes, showCount } from '../../src/contract/amounts.ts';

function recorded(terminal: boolean) {
  const texts: string[] = [];
  return { texts, progress: createProgress({ terminal, write: (text) => texts.push(text) }) };
}

describe('progress on a terminal', () => {
  it('draws one bar over and over and ends its line once', () => {
    const { texts, progress } = recorded(true);
    progress.show('Loading', 0);
    progress.show('Loading', 0.001);
    progress.show('Loading', 0.5, '3 MB');
    progress.show('Measuring', 1);
    progress.end();
    progress.end();
    expect(texts).toEqual([
      `\r\x1b[KLoading [${'.'.repeat(30)}] 0 %`,
      `\r\x1b[KLoading [${'#'.repeat(15)}${'.'.repeat(15)}] 50 %  3 MB`,
      '\n',
      `\r\x1b[KMeasuring [${'#'.repeat(30)}] 100 %`,
      '\n',
    ]);
  });

  it('stays within the bar for odd fractions', () => {
    const { texts, progress } = recorded(true);
    for (const fraction of [-1, Number.NaN, 7]) progress.show('Loading', fraction);
    expect(texts.map((text) => text.match(/\d+ %/)?.[0])).toEqual(['0 %', '100 %']);
  });
});

describe('progress elsewhere', () => {
  it('writes a line for every quarter', () => {
    const { texts, progress } = recorded(false);
    for (let step = 0; step <= 100; step++) progress.show('Loading', step / 100);
    progress.show('Measuring', 0.9);
    progress.end();
    expect(texts).toEqual([
      'Loading 0 %\n',
      'Loading 25 %\n',
      'Loading 50 %\n',
      'Loading 75 %\n',
      'Loading 100 %\n',
      'Measuring 90 %\n',
    ]);
  });
});

describe('amounts', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [3_313_888, '3.3 MB'],
    [123_456_789, '123 MB'],
    [4_700_000_000, '4.7 GB'],
    [2e15, '2000 TB'],
  ])('%d is %s', (bytes, text) => {
    expect(showBytes(bytes)).toBe(text);
  });

  it.each([
    [7, '7'],
    [3_049_920, '3.0M'],
    [494_032_768, '494M'],
    [7_600_000_000, '7.6B'],
  ])('%d parameters are %s', (count, text) => {
    expect(showCount(count)).toBe(text);
  });
});
