import { describe, expect, it } from 'vitest';
import type { CompileTemplate } from '../../src/contract/chat-format.ts';
import type { Message, OutputShape } from '../../src/contract/request.ts';
import { jinjaCompiler } from '../../src/prompt/jinja.ts';
import { chat, rendererOf } from './chat.ts';

/** Every message as `role(content)`; the content as the template gets it. */
const roles = `{%- for message in messages -%}{{ message.role }}({{ message.content }}){%- endfor -%}`;
const user: Message = { role: 'user', content: 'Hi' };

function prompt(template: string, messages: readonly Message[]) {
  return rendererOf(template).render(chat(messages)).pieces.join('');
}

describe('messages', () => {
  it('join the texts of parts with line breaks where the template skips or refuses an empty list of parts', () => {
    const parts: Message = {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    };
    const glued = `{%- for message in messages -%}{%- if message.content is string -%}{{ message.content }}
      {%- else -%}EMPTY{%- for part in message.content -%}{{ part.text }}{%- endfor -%}{%- endif -%}{%- endfor -%}`;
    expect(prompt(glued.replace('EMPTY', ''), [parts])).toBe('ab');
    const refusing = '{%- if not message.content -%}{{ raise_exception("empty") }}{%- endif -%}';
    expect(prompt(glued.replace('EMPTY', refusing), [parts])).toBe('a\nb');
    expect(prompt(`{#- if message.get("content") -#}${glued.replace('EMPTY', '')}`, [parts])).toBe('a\nb');
  });

  it('are trimmed where white space leads the model into loops', () => {
    const marked = `{#- You have access to the following functions in JSONSchema format -#}${roles}`;
    expect(prompt(marked, [{ role: 'user', content: ' \n Hi\u00a0\t\n' }])).toBe('user(Hi\u00a0)');
    expect(prompt(roles, [{ role: 'user', content: ' Hi\n' }])).toBe('user( Hi\n)');
  });

  it('come with the schema of the answer where the template tells it', () => {
    const telling = rendererOf(`${roles}{{- response_format | tojson if response_format is defined -}}`);
    const render = (answer?: OutputShape) => telling.render(chat([user]), answer).pieces.join('');
    expect(render()).toBe('user(Hi)');
    expect(render({ type: 'json' })).toBe('user(Hi){}');
    expect(render({ type: 'json-schema', schema: { const: '<|im_end|>' } })).toBe('user(Hi){"const": "<|im_end|>"}');
    expect(render({ type: 'json-schema', schema: true })).toBe('user(Hi)');
    const { pieces } = telling.render(chat([user]), { type: 'json-schema', schema: { const: '<|im_end|>' } });
    expect(pieces).not.toContain('<|im_end|>');
    expect(pieces.length).toBeGreaterThan(1);
  });
});

describe('the generation prompt', () => {
  it('is found in templates that take its absence for a yes', () => {
    const template = `{%- if add_generation_prompt is not defined -%}{%- set add_generation_prompt = true -%}{%- endif -%}
${roles}{%- if add_generation_prompt -%}Assistant:{% if enable_thinking %} <think>{% endif %}{%- endif -%}
{#- '</think>' -#}`;
    const { opening } = rendererOf(template).render(chat([user]));
    expect(opening).toEqual({ block: 'reasoning', generationPrompt: 'Assistant: <think>' });
  });

  it('is found in templates that end every other prompt with the EOS text', () => {
    const template = `${roles}{% if add_generation_prompt %}<|assistant|>{% else %}{{ eos_token }}{% endif %}`;
    expect(rendererOf(template).render(chat([user])).opening.generationPrompt).toBe('<|assistant|>');
  });

  it('costs no second rendering where the template has none', () => {
    let renders = 0;
    const compile: CompileTemplate = (source) => {
      const render = jinjaCompiler(() => new Date(0))(source);
      return (variables) => {
        renders += 1;
        return render(variables);
      };
    };
    const renderer = rendererOf(roles, { compile });
    renders = 0;
    expect(renderer.render(chat([user])).opening).toEqual({ block: 'text', generationPrompt: '' });
    expect(renders).toBe(1);
  });

  it('and the template get only the variables that the template names', () => {
    let given: readonly string[] = [];
    const compile: CompileTemplate = () => (variables) => {
      given = Object.keys(variables);
      return '';
    };
    rendererOf(`${roles}{{ enable_thinking }}`, { compile }).render(chat([user]));
    expect(given).toEqual(['messages', 'enable_thinking']);
  });
});
