import { describe, expect, it } from 'vitest';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { renderSampleTurns } from '../../src/prompt/sample-turns.ts';
import { lines, run, tool } from './machine.ts';

function formatOf(template: string) {
  const samples = () => renderSampleTurns(template, { bosText: '', eosText: '' }, () => new Date(0));
  return detectChatFormat(template, undefined, samples);
}

/** A template whose assistant turns are these pieces. */
function templateOf({ thought = '', before = '', call = '', between = '', after = '' }): string {
  return `{%- for message in messages -%}{{ '«' + message.role + '»' }}
{%- if message.reasoning_content -%}{{ ${thought || "''"} }}{%- endif -%}{{ message.content }}
{%- if message.tool_calls -%}{{ '${before}' }}{%- for call in message.tool_calls -%}${call}{%- if not loop.last -%}{{ '${between}' }}{%- endif -%}{%- endfor -%}{{ '${after}' }}{%- endif -%}
{{ '«end»' }}{%- endfor -%}`;
}

const object = `{{ '{"fn": "' + call.function.name + '", "with": ' + (call.function.arguments | tojson) + '}' }}`;
const two = [{ city: 'Paris' }, { city: 'Rome' }];
const offered = { tools: [tool('get_weather', { city: { type: 'string' } })] };

describe('the markup of an unknown template', () => {
  it('is found in calls that have markers of their own', () => {
    const format = formatOf(templateOf({ call: `{{ '<<invoke>>' }}${object}{{ '<<done>>' }}`, between: '\\n' }));
    const text = two
      .map((args) => `<<invoke>>{"fn": "get_weather", "with": ${JSON.stringify(args)}}<<done>>`)
      .join('\n');
    expect(format.toolCalls).toMatchObject({ syntax: 'json', array: false, parallel: true, separator: '\n' });
    expect(lines(run({ format, ...offered }, [`Hm.\n${text}`]))).toEqual([
      'text "Hm."',
      'call call_1 get_weather {"city":"Paris"}',
      'call call_2 get_weather {"city":"Rome"}',
    ]);
  });

  it('is found in an array of calls', () => {
    const format = formatOf(templateOf({ before: '<acts>[', call: object, between: ', ', after: ']</acts>' }));
    expect(format.toolCalls).toMatchObject({
      syntax: 'json',
      array: true,
      section: { open: '<acts>[', close: ']</acts>' },
      separator: ', ',
      keys: { name: 'fn', arguments: 'with' },
    });
    const text = `<acts>[{"fn": "get_weather", "with": {"city":"Paris"}}]</acts>`;
    expect(lines(run({ format, ...offered }, [text]))).toEqual(['call call_1 get_weather {"city":"Paris"}']);
  });

  it('is found in calls with the name outside of the object', () => {
    const call = `{{ '<use>' + call.function.name + '<as>' + (call.function.arguments | tojson) + '</use>' }}`;
    const format = formatOf(templateOf({ call }));
    expect(format.toolCalls).toMatchObject({ syntax: 'named-json', open: '<use>', nameEnd: '<as>', close: '</use>' });
    const text = '<use>get_weather<as>{"city":"Paris"}</use><use>get_weather<as>{"city":"Rome"}</use>';
    expect(lines(run({ format, ...offered }, [text]))).toEqual([
      'call call_1 get_weather {"city":"Paris"}',
      'call call_2 get_weather {"city":"Rome"}',
    ]);
  });

  it('is found around thoughts', () => {
    const format = formatOf(templateOf({ thought: `'<muse>' + message.reasoning_content + '</muse>\\n'` }));
    expect(format.reasoning).toEqual({ open: '<muse>', close: '</muse>', forcedClose: '</muse>\n' });
    expect(format.visibleTokens).toEqual(expect.arrayContaining(['<muse>', '</muse>']));
    expect(lines(run({ format }, ['<muse>Hm.</muse>\nYes.']))).toEqual(['reasoning "Hm."', 'text "Yes."']);
  });

  it('is not made of plain words', () => {
    const format = formatOf(templateOf({ thought: `'I think: ' + message.reasoning_content + ' So: '`, call: object }));
    expect(format.reasoning).toBeUndefined();
  });

  it('is that of the generic family where the template shows nothing, or fails', () => {
    expect(formatOf('{{ messages[-1].content }}').name).toBe('plain');
    expect(formatOf('{{ raise_exception("no") }}').name).toBe('plain');
  });
});
