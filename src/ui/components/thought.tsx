import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useId } from 'preact/hooks';
import type { Block } from '../chats/message.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { usePage } from '../state/page.ts';
import type { Run } from '../state/runs.ts';
import { strings } from '../strings/strings.ts';
import { Icon } from './icon.tsx';

export interface ThoughtProps {
  readonly block: Extract<Block, { kind: 'thought' }>;
  readonly live: boolean;
  /** Writes it just now. */
  readonly run: Run | undefined;
}

type Shown = 'closed' | 'peek' | 'open';

/** Three lines of it while it lasts, then one that says how long it took. */
export function Thought({ block, live, run }: ThoughtProps): VNode {
  const { view, server } = usePage();
  const id = useId();
  const shown = useSignal<Shown>(live ? 'peek' : 'closed');
  useEffect(() => {
    if (live && shown.value === 'closed') shown.value = 'peek';
    // Whoever has scrolled up reads here, perhaps: nothing moves under the eyes.
    if (!live && shown.value === 'peek' && view.following.peek()) shown.value = 'closed';
  }, [live, shown, view]);
  const rest: Shown = live ? 'peek' : 'closed';
  return (
    <section class="thought" data-shown={shown.value} data-live={live}>
      <button
        type="button"
        class="thought-head"
        aria-expanded={shown.value === 'open'}
        aria-controls={id}
        onClick={() => {
          shown.value = shown.value === 'open' ? rest : 'open';
        }}
      >
        <Icon name="thought" size={16} />
        <span>{headText(block, live)}</span>
        <Icon name="right" size={14} />
      </button>
      {live && run && server.facts.value?.endsThoughts && (
        <button type="button" class="chip-button" onClick={() => run.answerNow()}>
          {strings.value.thought.now}
        </button>
      )}
      <div class="thought-body" id={id}>
        <div class="thought-text">
          {shown.value === 'open' && !live ? (
            <Markdown text={block.text} />
          ) : (
            <p dir="auto">{shown.value === 'closed' ? '' : block.text}</p>
          )}
        </div>
      </div>
    </section>
  );
}

function headText({ ms, tokens }: ThoughtProps['block'], live: boolean): string {
  const { thought: t, format } = strings.value;
  if (live) return t.live;
  const time = ms === undefined ? t.doneShort : t.done(format.duration(ms));
  return tokens ? `${time} · ${t.tokens(format.number(tokens), tokens === 1)}` : time;
}
