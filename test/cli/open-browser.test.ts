import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type BrowserStart, openBrowser } from '../../src/cli/open-browser.ts';

/** Starts nothing; ends as it is told. */
function scene(platform: NodeJS.Platform, end: (child: EventEmitter) => void) {
  const started: string[] = [];
  const run = (program: string, args: readonly string[]) => {
    started.push([program, ...args].join(' '));
    const child = Object.assign(new EventEmitter(), { unref: () => undefined });
    setImmediate(() => end(child));
    return child;
  };
  const start: BrowserStart = { platform, run };
  return { started, start };
}

describe('openBrowser', () => {
  it.each([
    ['darwin', 'open http://localhost:1'],
    ['win32', 'cmd /c start "" http://localhost:1'],
    ['linux', 'xdg-open http://localhost:1'],
  ] as const)('asks the system of %s', async (platform, command) => {
    const { started, start } = scene(platform, (child) => child.emit('exit', 0));
    expect(await openBrowser('http://localhost:1', start)).toBe(true);
    expect(started).toEqual([command]);
  });

  it.each([
    ['is no opener', (child: EventEmitter) => child.emit('error', new Error('ENOENT'))],
    ['is no screen', (child: EventEmitter) => child.emit('exit', 3)],
  ])('says so where there %s', async (_, end) => {
    expect(await openBrowser('http://localhost:1', scene('linux', end).start)).toBe(false);
  });
});
