import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import type { Form } from '../../state/answer-tuning.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';

const kinds = ['free', 'schema', 'grammar'] as const;
const examples = {
  schema:
    '{\n  "type": "object",\n  "properties": {\n    "answer": { "type": "string" }\n  },\n  "required": ["answer"]\n}',
  grammar: 'root ::= "yes" | "no"',
} as const;

/** What every answer is held to while it is written. */
export function FormPart(): VNode {
  const { tuning } = usePage();
  const t = strings.value.drawer;
  const id = useId();
  const { form } = tuning.tune.value;
  const change = (part: Partial<Form>) => tuning.change({ form: { ...form, ...part } });
  const { kind } = form;
  const problem = tuning.formProblem.value;
  return (
    <>
      <fieldset class="form-kinds">
        <legend class="off-screen">{t.form}</legend>
        {kinds.map((each) => (
          <label key={each}>
            <input type="radio" name={id} checked={kind === each} onChange={() => change({ kind: each })} />
            {t.kinds[each]}
          </label>
        ))}
      </fieldset>
      {kind !== 'free' && (
        <>
          <textarea
            class="code-field"
            rows={9}
            spellcheck={false}
            aria-label={t.kinds[kind]}
            aria-invalid={problem !== undefined}
            aria-describedby={`${id}-problem`}
            placeholder={examples[kind]}
            value={form[kind]}
            onInput={(event) => change({ [kind]: event.currentTarget.value })}
          />
          <p id={`${id}-problem`} class="fine" data-wrong={problem !== undefined} role="status">
            {problem === undefined ? t.held : t.noSchema(problem)}
          </p>
        </>
      )}
    </>
  );
}
