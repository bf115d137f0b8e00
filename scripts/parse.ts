import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Tool } from '../src/contract/request.ts';
import { chatFormats, detectChatFormat } from '../src/output/detect-family.ts';
import { createOutputMachine } from '../src/output/output-machine.ts';

/**
 * `npm run parse -- [--thinking] [--cut] [--tool NAME]... FAMILY [TEXT]`: the events that a family's machine makes of a text,
 * given or read from standard input. Without --tool, every name is a call; --cut: a limit ended the text.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    thinking: { type: 'boolean', default: false },
    cut: { type: 'boolean', default: false },
    tool: { type: 'string', multiple: true, default: [] },
  },
});
const [family, given] = positionals;
if (!family) {
  console.error('Usage: npm run parse -- [--thinking] [--cut] [--tool NAME]... FAMILY [TEXT]');
  console.error(`Families: ${Object.keys(chatFormats).join(', ')}`);
  process.exit(1);
}

const text = given ?? readFileSync(0, 'utf8');
const format = detectChatFormat(undefined, family);
let calls = 0;
const machine = createOutputMachine({
  format,
  opening: values.thinking
    ? { block: 'reasoning', generationPrompt: format.reasoning?.open ?? '' }
    : { block: 'text', generationPrompt: '' },
  tools: (values.tool.length > 0 ? values.tool : ['any']).map(named),
  toolChoice: { type: 'auto' },
  newToolCallId: () => `call_${++calls}`,
  reasoningFormat: 'auto',
  autoHeal: true,
  checkToolNames: values.tool.length > 0,
});

for (const event of [...machine.push(text), ...machine.end(values.cut ? 'cut' : 'complete')])
  console.log(JSON.stringify(event));
console.log(`[repairs: ${machine.repairs}]`);

function named(name: string): Tool {
  return { name, definition: { type: 'function', function: { name } } };
}
