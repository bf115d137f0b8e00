import type { VNode } from 'preact';
import { usePage } from '../state/page.ts';
import type { LoadStep } from '../state/server-facts.ts';
import { strings } from '../strings/strings.ts';
import { Icon } from './icon.tsx';

/** Which model answers, and how far it is; the way to the others. */
export function ModelStatus(): VNode {
  const { server, view } = usePage();
  const phase = server.phase.value;
  const facts = server.facts.value;
  const name = facts?.name ?? server.models.value[0]?.id ?? server.loading.value[0] ?? '';
  const step = server.load.value;
  // Another one may come while this one answers.
  const isLoading = phase === 'loading' || (phase === 'ready' && server.loading.value.length > 0);
  return (
    <button
      type="button"
      class="model-status"
      data-phase={phase}
      aria-haspopup="dialog"
      onClick={() => {
        view.dialog.value = 'models';
      }}
    >
      <span class="off-screen">{strings.value.models.title}: </span>
      <span class="status-dot" />
      <span class="model-name" title={name}>
        {name}
      </span>
      <span class="model-state">{stateText(isLoading ? 'loading' : phase, step)}</span>
      {isLoading && step && <progress value={step.fraction} max={1} aria-label={strings.value.server.loading} />}
      <Icon name="down" size={14} />
    </button>
  );

  function stateText(now: typeof phase, load: LoadStep | undefined): string {
    const t = strings.value.server;
    switch (now) {
      case 'asking':
        return t.asking;
      case 'loading':
        return load ? loadText(load) : t.loading;
      case 'empty':
        return t.noModel;
      case 'ready':
        return facts?.contextSize === undefined ? t.ready : t.context(strings.value.format.tokens(facts.contextSize));
      case 'gone':
      case 'locked':
        return '';
      default:
        return now satisfies never;
    }
  }
}

export function loadText({ phase, fraction, bytesLoaded, bytesTotal, etaSeconds }: LoadStep): string {
  const { server: t, format } = strings.value;
  const amount =
    phase === 'download' && bytesTotal > 0
      ? `${format.bytes(bytesLoaded)} / ${format.bytes(bytesTotal)}`
      : format.percent(fraction);
  const left = etaSeconds === undefined || etaSeconds < 1 ? '' : t.left(format.duration(etaSeconds * 1000));
  return [`${phase === '' ? t.loading : t.phases[phase]} ${amount}`, left].filter((part) => part !== '').join(' · ');
}
