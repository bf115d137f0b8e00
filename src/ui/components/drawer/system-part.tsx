import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';

/** What the model is told before everything else. */
export function SystemPart(): VNode {
  const { tuning } = usePage();
  const t = strings.value.drawer;
  const id = useId();
  return (
    <div class="system-part">
      <label for={id}>{t.system}</label>
      <textarea
        id={id}
        rows={4}
        dir="auto"
        placeholder={t.systemHint}
        value={tuning.tune.value.systemPrompt}
        onInput={(event) => tuning.change({ systemPrompt: event.currentTarget.value })}
      />
    </div>
  );
}
