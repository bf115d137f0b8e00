import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { GrowingField } from './growing-field.tsx';

export interface MessageEditorProps {
  readonly text: string;
  readonly save: string;
  readonly onSave: (text: string) => void;
  /** A second way to end, and what it does. */
  readonly also?: { readonly label: string; readonly onSave: (text: string) => void };
  readonly isUnchanged?: (text: string) => boolean;
}

/** A message in a field, until it is saved or left. */
export function MessageEditor({ text, save, onSave, also, isUnchanged }: MessageEditorProps): VNode {
  const { view } = usePage();
  const draft = useSignal(text);
  const unchanged = isUnchanged?.(draft.value) ?? draft.value === text;
  const leave = () => {
    view.editing.value = undefined;
    view.focusComposer.value += 1;
  };
  const finish = (how: (text: string) => void) => {
    if (draft.value.trim() === '') return;
    how(draft.value);
    leave();
  };
  return (
    <div class="message-editor">
      <GrowingField
        value={draft.value}
        label={strings.value.message.editLabel}
        autoFocus
        onInput={(next) => {
          draft.value = next;
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.stopPropagation();
            leave();
          }
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) finish(onSave);
        }}
      />
      <div class="editor-actions">
        <button type="button" class="quiet" onClick={leave}>
          {strings.value.cancel}
        </button>
        {also && (
          <button type="button" class="quiet" onClick={() => finish(also.onSave)}>
            {also.label}
          </button>
        )}
        <button type="button" class="primary" disabled={unchanged} onClick={() => finish(onSave)}>
          {save}
        </button>
      </div>
    </div>
  );
}
