import { describe, expect, it } from 'vitest';
import type { Timers } from '../../src/contract/services.ts';
import { systemTimers } from '../../src/contract/system-timers.ts';
import { createConverter } from '../../src/tools/built-in/page-thread.ts';
import { until, within } from '../http/support.ts';
import { pageWorker } from '../support/compiled-entries.ts';

/** A minute of work for whoever reads it. */
const slowPage = '<blockquote>'.repeat(20_000) + 'x\n'.repeat(5000);
const { signal } = new AbortController();

describe('the thread in which pages become text', () => {
  it('gives the text', async () => {
    const convert = createConverter(pageWorker, systemTimers);
    const text = convert('<h1>Head</h1><a href="x">link</a>', 'http://site.example/a/', signal);
    expect(await within('the text', text, 20_000)).toBe('# Head\n\n[link](http://site.example/a/x)');
  });

  it('is ended when a page takes too long, while others are read', async () => {
    const alarms: (() => void)[] = [];
    const timers: Timers = {
      after: (_, callback) => {
        alarms.push(callback);
        return () => undefined;
      },
    };
    const slow = createConverter(pageWorker, timers)(slowPage, 'http://site.example/', signal);
    slow.catch(() => undefined);
    const other = createConverter(pageWorker, systemTimers)('<p>other', 'http://site.example/', signal);
    expect(await within('the other', other, 20_000)).toBe('other');
    alarms[0]?.();
    await expect(within('the end', slow)).rejects.toThrow('The page took too long to be read.');
  });

  it('is ended when nobody waits', async () => {
    const controller = new AbortController();
    let begun = false;
    const timers: Timers = {
      after: () => {
        begun = true;
        return () => undefined;
      },
    };
    const slow = createConverter(pageWorker, timers)(slowPage, 'http://site.example/', controller.signal);
    slow.catch(() => undefined);
    await until('it works', () => begun);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(within('the end', slow)).rejects.toBe(reason);
    const late = createConverter(pageWorker, timers)('<p>x', 'http://site.example/', controller.signal);
    await expect(within('the refusal', late)).rejects.toBe(reason);
  });
});
