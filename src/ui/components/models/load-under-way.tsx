import type { VNode } from 'preact';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { loadText } from '../model-status.tsx';

/** What is on its way, how far it is, and the way to give it up; or why the last one did not come. */
export function LoadUnderWay(): VNode | null {
  const { server, loads } = usePage();
  const t = strings.value.models;
  const own = loads.now.value;
  const name = own ? [own.path, own.quantization].filter(Boolean).join(' · ') : server.loading.value[0];
  if (name === undefined) {
    const failure = loads.failure.value;
    return (
      <div role="alert">
        {failure !== undefined && (
          <p class="models-failure" dir="auto">
            {failure}
          </p>
        )}
      </div>
    );
  }
  const step = server.load.value;
  return (
    <section class="load-under-way" aria-label={t.underWay}>
      <div class="model-row">
        <div class="model-facts">
          <strong dir="auto">{name}</strong>
          <span class="fine">{step && step.phase !== 'ready' ? loadText(step) : t.begins}</span>
        </div>
        {server.rights.value.changeModels && (
          <button type="button" class="quiet" onClick={() => void loads.cancel()}>
            {strings.value.cancel}
          </button>
        )}
      </div>
      <progress
        {...(step && step.phase !== 'ready' && { value: step.fraction })}
        max={1}
        aria-label={strings.value.server.loading}
      />
    </section>
  );
}
