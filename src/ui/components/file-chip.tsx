import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { type AttachedFile, isImage } from '../chats/message.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { Dialog } from './dialogs.tsx';
import { Icon } from './icon.tsx';
import { IconButton } from './icon-button.tsx';

export interface FileChipProps {
  readonly file: AttachedFile;
  /** Undefined: it cannot be taken away. */
  readonly onRemove?: () => void;
}

const encoder = new TextEncoder();

/** A file that goes with a message: what it is, how large, and all of it behind a click. */
export function FileChip({ file, onRemove }: FileChipProps): VNode {
  const { files, server } = usePage();
  const { files: t, format } = strings.value;
  const open = useSignal(false);
  useEffect(() => {
    // Where it cannot be read now, the next time it is shown may be better.
    if (isImage(file)) void files.load([file]).catch(() => undefined);
  }, [file, files]);
  const url = isImage(file) ? files.urlOf(file) : undefined;
  const unseen = isImage(file) && server.facts.value?.seesImages === false;
  const size = isImage(file) ? file.bytes : encoder.encode(file.text).length;
  const note = unseen ? t.unseen : isImage(file) && files.isLost(file) ? t.lost : format.bytes(size);
  return (
    <div class="file-chip" data-kind={isImage(file) ? 'image' : 'text'} data-warning={unseen}>
      <button
        type="button"
        class="file-open"
        title={t.show}
        aria-haspopup="dialog"
        onClick={() => {
          open.value = true;
        }}
      >
        {url === undefined ? (
          <Icon name="file" size={16} />
        ) : (
          <img class="file-thumb" src={url} alt="" decoding="async" />
        )}
        <span class="file-facts">
          <span class="file-name" dir="auto">
            {file.name}
          </span>
          <span class="file-note">{note}</span>
        </span>
      </button>
      {onRemove && <IconButton icon="close" size={14} label={t.remove(file.name)} onClick={onRemove} />}
      {open.value && (
        <Dialog
          title={file.name}
          class="file-dialog"
          onClose={() => {
            open.value = false;
          }}
        >
          {isImage(file) ? (
            url !== undefined && <img class="file-picture" src={url} alt={file.name} />
          ) : (
            <pre tabIndex={0} dir="auto">
              {file.text}
            </pre>
          )}
        </Dialog>
      )}
    </div>
  );
}
