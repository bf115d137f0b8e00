import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { IconButton } from '../icon-button.tsx';

/** Settings by name. */
export function PresetPart(): VNode {
  const { tuning } = usePage();
  const { drawer: t, cancel } = strings.value;
  const naming = useSignal(false);
  const name = tuning.preset.value;
  const changed = tuning.isChanged.value;
  if (naming.value)
    return (
      <form
        class="preset-row"
        onSubmit={(event) => {
          event.preventDefault();
          const given = String(new FormData(event.currentTarget).get('name') ?? '').trim();
          if (given !== '') tuning.save(given);
          naming.value = false;
        }}
      >
        <input
          name="name"
          aria-label={t.presetName}
          placeholder={t.presetName}
          defaultValue={name ?? ''}
          maxLength={60}
          ref={(field) => field?.focus()}
          required
        />
        <button type="submit" class="quiet">
          {t.save}
        </button>
        <button type="button" class="quiet" onClick={() => (naming.value = false)}>
          {cancel}
        </button>
      </form>
    );
  return (
    <div class="preset-row">
      <select
        aria-label={t.preset}
        value={name ?? ''}
        onChange={(event) => tuning.apply(event.currentTarget.value || undefined)}
      >
        <option value="">{t.serversOwn}</option>
        {tuning.presets.value.map((preset) => (
          <option key={preset.name} value={preset.name}>
            {preset.name}
          </option>
        ))}
      </select>
      {changed && <span class="chip">{t.changed}</span>}
      {changed && <IconButton icon="undo" label={t.back} onClick={() => tuning.apply(name)} />}
      <IconButton icon="save" label={t.saveAs} onClick={() => (naming.value = true)} />
      {name !== undefined && (
        <IconButton icon="trash" label={t.removePreset(name)} onClick={() => tuning.remove(name)} />
      )}
    </div>
  );
}
