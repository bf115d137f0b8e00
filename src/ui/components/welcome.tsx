import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';

const demoModel = 'serve-model-demo';

/** What a chat shows before anything is said. */
export function Welcome(): VNode {
  const { composer, server, view } = usePage();
  const t = strings.value.welcome;
  const isDemo = useComputed(() => server.facts.value?.name === demoModel).value;
  const phase = server.phase.value;
  return (
    <div class="welcome">
      <h1>{t.title}</h1>
      <p class="welcome-note">{noteFor()}</p>
      {phase === 'empty' && (
        <button
          type="button"
          class="primary"
          onClick={() => {
            view.dialog.value = 'models';
          }}
        >
          {t.choose}
        </button>
      )}
      <ul class="samples">
        {t.samples.map((sample) => (
          <li key={sample}>
            <button
              type="button"
              onClick={() => {
                composer.set(sample);
                view.focusComposer.value += 1;
              }}
            >
              {sample}
            </button>
          </li>
        ))}
      </ul>
      <p class="fine">{t.here}</p>
    </div>
  );

  function noteFor(): string {
    if (phase === 'empty') return t.none;
    if (phase === 'loading') return t.loading;
    return isDemo ? t.demo : '';
  }
}
