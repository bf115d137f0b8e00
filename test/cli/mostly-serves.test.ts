import { expect, it } from 'vitest';
import { lightCommands, mostlyServes } from '../../src/cli/mostly-serves.ts';
import { commands } from '../../src/config/commands.ts';

it('every command but the one that serves loads no model', () => {
  expect([...lightCommands, 'serve'].sort()).toEqual(Object.keys(commands).sort());
  expect(mostlyServes(['ps'])).toBe(false);
  expect(mostlyServes(['--version'])).toBe(false);
  expect([[], ['model.gguf'], ['serve', 'ps'], ['--port', '1']].map(mostlyServes)).toEqual([true, true, true, true]);
});
