import type { VNode } from 'preact';
import { usePage } from '../../state/page.ts';
import type { LoadedModel } from '../../state/server-facts.ts';
import { strings } from '../../strings/strings.ts';
import { ModelRow } from './model-row.tsx';

/** Those that answer now; the one that the next message goes to is marked. */
export function LoadedModels(): VNode {
  const { server } = usePage();
  const t = strings.value.models;
  const loaded = server.loaded.value;
  return (
    <section aria-labelledby="models-loaded">
      <h3 id="models-loaded">{t.loaded}</h3>
      {loaded.length === 0 ? (
        <p class="models-note">{t.noneLoaded}</p>
      ) : (
        <ul class="model-list">
          {loaded.map((model) => (
            <Loaded key={model.id} model={model} alone={loaded.length === 1} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Loaded({ model, alone }: { readonly model: LoadedModel; readonly alone: boolean }): VNode {
  const { server, loads, preferences, runs } = usePage();
  const { models: t, format } = strings.value;
  const isUsed = server.facts.value?.id === model.id;
  const isLeaving = loads.leaving.value.has(model.id);
  const facts = [
    t.context(format.tokens(model.contextSize)),
    t.slots(format.number(model.slots), model.slots === 1),
    t.memory(format.bytes(model.memoryBytes)),
    model.device,
  ];
  return (
    <ModelRow name={model.name} title={model.id} facts={facts} marks={isUsed && !alone ? [t.used] : []}>
      {isLeaving && <span class="fine">{runs.live.value.size > 0 ? t.leavingLater : t.leaving}</span>}
      {!isUsed && !isLeaving && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            preferences.model.value = model.id;
          }}
        >
          {t.use}
        </button>
      )}
      {server.rights.value.changeModels && !isLeaving && (
        <button
          type="button"
          class="quiet"
          aria-label={t.unloadName(model.name)}
          onClick={() => void loads.unload(model.id)}
        >
          {t.unload}
        </button>
      )}
    </ModelRow>
  );
}
