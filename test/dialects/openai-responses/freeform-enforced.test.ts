import { describe, expect, it } from 'vitest';
import { parseResponses } from '../../../src/dialects/openai-responses/request.ts';
import { parseGrammar } from '../../../src/grammar/gbnf/gbnf-parse.ts';
import { fits } from '../../../src/grammar/gbnf/grammar-walker.ts';
import { schemaToGrammar } from '../../grammar/schema-grammar.ts';
import { patchGrammar } from './codex-requests.ts';

/** What the arguments of a free-form tool are held to, through the same way that a request takes. */
function grammarOf(syntax: string, definition: string) {
  const tools = [{ type: 'custom', name: 'run', format: { type: 'grammar', syntax, definition } }];
  const call = parseResponses({ input: 'hi', tools });
  const [request] = call.generations;
  const parameters = request?.prompt.type === 'chat' ? request.prompt.tools[0]?.parameters : undefined;
  const { grammar, loosened } = schemaToGrammar(parameters ?? {});
  expect([call.warnings, loosened]).toEqual([[], []]);
  const rules = parseGrammar(grammar, 'grammar');
  return (input: string) => fits(rules, JSON.stringify({ input }));
}

describe('the input of a free-form tool', () => {
  it('is held to a regular expression', () => {
    const allows = grammarOf('regex', 'git (status|log -n \\d+)');
    expect(['git status', 'git log -n 12'].filter(allows)).toHaveLength(2);
    expect(['git push', 'git status ', ''].filter(allows)).toEqual([]);
  });

  it('is held to the grammar of a patch', () => {
    const allows = grammarOf('lark', patchGrammar);
    const patch = '*** Begin Patch\n*** Add File: "ä".txt\n+one\\two\n+\n*** End Patch';
    expect([patch, `${patch}\n`].filter(allows)).toHaveLength(2);
    expect(['', 'ls', patch.replace('+one', 'one'), patch.slice(0, -3)].filter(allows)).toEqual([]);
  });
});
