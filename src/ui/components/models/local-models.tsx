import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import type { LocalModel, ModelShelf } from '../../state/model-shelf.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { IconButton } from '../icon-button.tsx';
import { ModelRow } from './model-row.tsx';

/** Files on the server's machine that are not loaded. */
export function LocalModels({ shelf }: { readonly shelf: ModelShelf }): VNode {
  const t = strings.value.models;
  const local = shelf.local.value;
  const models = local && 'value' in local ? local.value.filter(({ loaded }) => !loaded) : [];
  return (
    <section aria-labelledby="models-local" aria-busy={local === undefined}>
      <h3 id="models-local">{t.local}</h3>
      {local && 'failure' in local && <p class="models-failure">{local.failure}</p>}
      {local && 'value' in local && models.length === 0 && <p class="models-note">{t.noneLocal}</p>}
      <ul class="model-list">
        {models.map((model) => (
          <Local key={model.path} model={model} shelf={shelf} />
        ))}
      </ul>
    </section>
  );
}

function Local({ model, shelf }: { readonly model: LocalModel; readonly shelf: ModelShelf }): VNode {
  const { loads } = usePage();
  const { models: t, format, cancel } = strings.value;
  const asking = useSignal(false);
  const name = nameOf(model);
  const facts = [
    model.quantization ?? '',
    format.bytes(model.size_bytes),
    model.context_length === null ? '' : t.trained(format.tokens(model.context_length)),
    model.source === 'bundled' ? t.bundled : '',
  ];
  const remove = async () => {
    await loads.remove(model.id);
    await shelf.readLocal();
  };
  return (
    <ModelRow name={name} title={model.path} facts={facts}>
      {asking.value ? (
        <>
          <button type="button" class="quiet" ref={(button) => button?.focus()} onClick={() => (asking.value = false)}>
            {cancel}
          </button>
          <button type="button" class="quiet dangerous" onClick={() => void remove()}>
            {t.removeFile}
          </button>
        </>
      ) : (
        <>
          {model.source === 'folder' && (
            <IconButton icon="trash" label={t.removeName(name)} onClick={() => (asking.value = true)} />
          )}
          <button
            type="button"
            class="quiet"
            aria-label={t.loadName(name)}
            disabled={loads.now.value !== undefined}
            onClick={() => void loads.load({ path: model.path })}
          >
            {t.load}
          </button>
        </>
      )}
    </ModelRow>
  );
}

function nameOf({ id }: LocalModel): string {
  return (
    id
      .split(/[/\\]/)
      .at(-1)
      ?.replace(/\.gguf$/i, '') || id
  );
}
