import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';

/** Whether answers come with the probability of their tokens. */
export function LensSwitch(): VNode {
  const { preferences } = usePage();
  const t = strings.value.lens;
  const id = useId();
  return (
    <>
      <label class="check">
        <input
          type="checkbox"
          checked={preferences.lens.value}
          aria-describedby={id}
          onChange={(event) => {
            preferences.lens.value = event.currentTarget.checked;
          }}
        />
        {t.name}
      </label>
      <p class="fine" id={id}>
        {t.hint}
      </p>
    </>
  );
}
