import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { FileChip } from './file-chip.tsx';
import { Icon } from './icon.tsx';
import { IconButton } from './icon-button.tsx';

/** What goes with the message that is being written. */
export function ComposerFiles(): VNode | null {
  const { composer, view } = usePage();
  const t = strings.value.files;
  const { pasted, coming, files } = composer;
  if (files.value.length === 0 && coming.value === 0) return null;
  return (
    <section class="composer-files" aria-label={t.name}>
      {files.value.map((file, index) => (
        <FileChip
          key={index}
          file={file}
          onRemove={() => {
            composer.detach(file);
            view.focusComposer.value += 1;
          }}
        />
      ))}
      {coming.value > 0 && <span class="file-coming">{t.coming}</span>}
      {pasted.value && (
        <button
          type="button"
          class="chip-button"
          aria-keyshortcuts="Control+Z"
          onClick={() => {
            composer.unfoldPaste();
            view.focusComposer.value += 1;
          }}
        >
          {t.unfold}
        </button>
      )}
    </section>
  );
}

/** The way in by button; by keyboard too. */
export function AttachButton(): VNode {
  const { composer, view } = usePage();
  const t = strings.value.files;
  const picker = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton icon="attach" label={t.add} onClick={() => picker.current?.click()} />
      <input
        ref={picker}
        type="file"
        class="off-screen"
        tabIndex={-1}
        aria-label={t.add}
        multiple
        onChange={({ currentTarget }) => {
          const given = [...(currentTarget.files ?? [])];
          currentTarget.value = '';
          void composer.attach(given);
          view.focusComposer.value += 1;
        }}
      />
    </>
  );
}

/** Takes files that are dropped anywhere on the page; a browser would leave the page and show them. */
export function FileDrop(): VNode | null {
  const { composer, view } = usePage();
  const over = useSignal(false);
  useEffect(() => {
    const left = new AbortController();
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const on = (name: 'dragover' | 'dragleave' | 'drop', hear: (event: DragEvent) => void) =>
      addEventListener(name, hear, { signal: left.signal });
    on('dragover', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      over.value = true;
    });
    on('dragleave', (event) => {
      // Left for the outside, not for another element.
      if (event.relatedTarget === null) over.value = false;
    });
    on('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      over.value = false;
      void composer.attach([...(event.dataTransfer?.files ?? [])]);
      view.focusComposer.value += 1;
    });
    return () => left.abort();
  }, [composer, view, over]);
  if (!over.value) return null;
  return (
    <div class="file-drop">
      <Icon name="attach" size={28} />
      {strings.value.files.drop}
    </div>
  );
}
