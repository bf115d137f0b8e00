import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { type SamplingField, samplingFields } from '../../state/answer-tuning.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { IconButton } from '../icon-button.tsx';

/** Numbers of one's own; a field that is left alone is not sent, and shows what the model is sampled with by itself. */
export function SamplingPart(): VNode {
  return (
    <div class="sampling">
      {samplingFields.map((field) => (
        <Field key={field.name} field={field} />
      ))}
    </div>
  );
}

function Field({ field: { name, least, most, step } }: { readonly field: SamplingField }): VNode {
  const { tuning, server } = usePage();
  const t = strings.value.drawer;
  const id = useId();
  const own = tuning.tune.value.sampling[name];
  const usual = server.facts.value?.sampling[name];
  const shown = t.fields[name];
  return (
    <div class="sampling-field" data-own={own !== undefined}>
      <label for={id} title={t.hints[name]}>
        {shown}
      </label>
      <input
        id={id}
        type="number"
        inputMode="decimal"
        min={least}
        max={most}
        step={step}
        value={own ?? ''}
        placeholder={typeof usual === 'number' ? String(usual) : t.usual}
        aria-describedby={`${id}-whose`}
        onInput={({ currentTarget: { value, valueAsNumber, validity } }) => {
          if (value === '' && !validity.badInput) tuning.setSampling(name, undefined);
          else if (!validity.badInput && valueAsNumber >= least && valueAsNumber <= most)
            tuning.setSampling(name, valueAsNumber);
        }}
      />
      <span id={`${id}-whose`} class="whose">
        {own === undefined ? t.default : t.yours}
      </span>
      {own === undefined ? (
        <span class="no-button" />
      ) : (
        <IconButton icon="undo" size={15} label={t.reset(shown)} onClick={() => tuning.setSampling(name, undefined)} />
      )}
    </div>
  );
}
