import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { textOf, type UserMessage } from '../chats/message.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { CopyButton } from './copy-button.tsx';
import { FileChip } from './file-chip.tsx';
import { IconButton } from './icon-button.tsx';
import { Later, messageEditor } from './later.tsx';
import { ShortNote } from './short-note.tsx';
import { Versions } from './versions.tsx';

export function UserTurn({ message }: { readonly message: UserMessage }): VNode {
  const { chats, view } = usePage();
  const editing = useComputed(() => view.editing.value === message.id).value;
  const t = strings.value.message;
  const text = textOf(message);
  if (editing)
    return (
      <article class="turn user-turn editing">
        <Later
          load={messageEditor}
          props={{
            message,
            save: t.sendAgain,
            onSave: (next) => chats.rewrite(message.id, next),
            isUnchanged: () => false,
          }}
        />
      </article>
    );
  return (
    <article class="turn user-turn">
      <h2 class="off-screen">{t.you}</h2>
      {message.muted && <span class="chip">{t.leftOut}</span>}
      <ShortNote message={message} />
      {message.files && (
        <div class="turn-files">
          {message.files.map((file, index) => (
            <FileChip key={index} file={file} />
          ))}
        </div>
      )}
      {text !== '' && (
        <div class="bubble" dir="auto">
          {text}
        </div>
      )}
      <div class="turn-actions">
        <Versions message={message} />
        <CopyButton text={() => text} label={t.copy} />
        <IconButton
          icon="edit"
          label={t.edit}
          onClick={() => {
            view.editing.value = message.id;
          }}
        />
      </div>
    </article>
  );
}
