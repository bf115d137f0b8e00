import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { type Message, textOf } from '../../chats/message.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { GrowingField } from '../growing-field.tsx';
import { EditPrice } from './edit-price.tsx';

export interface MessageEditorProps {
  readonly message: Message;
  readonly save: string;
  readonly onSave: (text: string) => void;
  /** A second way to end, and what it does. */
  readonly also?: { readonly label: string; readonly onSave: (text: string) => void };
  readonly isUnchanged?: (text: string) => boolean;
}

/** A message in a field, until it is saved or left. */
export function MessageEditor({ message, save, onSave, also, isUnchanged }: MessageEditorProps): VNode {
  const { view } = usePage();
  const text = textOf(message);
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
        <EditPrice message={message} text={draft.value} />
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
