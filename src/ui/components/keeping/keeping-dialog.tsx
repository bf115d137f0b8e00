import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { reasonOf } from '../../api/failure.ts';
import { filesOfChats, readChats } from '../../chats/exchange/read-chats.ts';
import { usePage } from '../../state/page.ts';
import { takeChats, takeFiles } from '../../state/portable.ts';
import { strings } from '../../strings/strings.ts';
import { Dialog } from '../dialogs.tsx';
import { showChat } from '../router.ts';
import { saveFile } from './save-file.ts';
import '../../styles/keeping.css';

/** Where the chats lie, and how they come out, in and away. */
export function KeepingDialog(): VNode {
  const { view, chats, server, environment } = usePage();
  const { keeping: t, format } = strings.value;
  const told = useSignal('');
  const picker = useRef<HTMLInputElement>(null);
  const count = chats.list.value.length;
  const say = async (work: () => Promise<string>) => {
    told.value = '';
    try {
      told.value = await work();
    } catch (failure) {
      told.value = t.failed(reasonOf(failure));
    }
  };
  const take = async (files: readonly File[]) => {
    let taken = 0;
    for (const file of files) {
      const text = await file.text();
      const found = readChats(text, environment.newId);
      if (found.length === 0) return t.unknown(file.name);
      await takeFiles(chats.parts, filesOfChats(text));
      await takeChats(chats.parts, found);
      taken += found.length;
    }
    return t.imported(format.number(taken), taken === 1);
  };
  const emptyBin = async () => {
    const gone = await chats.emptyBin();
    return t.binEmptied(format.number(gone), gone === 1);
  };
  return (
    <Dialog
      title={t.title}
      class="keeping-dialog"
      onClose={() => {
        view.dialog.value = undefined;
      }}
    >
      <p>{whereText()}</p>
      <p class="fine">{t.count(format.number(count), count === 1)}</p>
      <div class="keeping-actions">
        <button
          type="button"
          class="quiet"
          disabled={count === 0}
          onClick={() =>
            void say(async () => {
              await saveFile(
                chats.parts,
                chats.list.value.map(({ id }) => id),
                environment.now(),
              );
              return t.exported(format.number(count), count === 1);
            })
          }
        >
          {t.exportAll}
        </button>
        <button type="button" class="quiet" onClick={() => picker.current?.click()}>
          {t.import}
        </button>
        <input
          ref={picker}
          type="file"
          class="off-screen"
          tabIndex={-1}
          aria-label={t.importFiles}
          accept=".json,.jsonl,application/json"
          multiple
          onChange={({ currentTarget }) => {
            const files = [...(currentTarget.files ?? [])];
            currentTarget.value = '';
            void say(() => take(files));
          }}
        />
        <button type="button" class="quiet" onClick={() => void say(emptyBin)}>
          {t.emptyBin}
        </button>
        <WipeButton
          disabled={count === 0}
          wipe={() =>
            void say(async () => {
              await chats.wipe();
              showChat(undefined);
              return t.wiped;
            })
          }
        />
      </div>
      <p class="fine">{t.importHint}</p>
      <p class="fine">{t.binHint}</p>
      <p role="status" class="keeping-told" dir="auto">
        {told.value}
      </p>
    </Dialog>
  );

  function whereText(): string {
    const where = server.keeping.value;
    if (where && 'reason' in where) return `${t.inBrowser} ${where.reason}`;
    if (!server.rights.value.chatStore) return t.inBrowser;
    return where?.folder === undefined ? t.onServer : t.inFolder(where.folder);
  }
}

function WipeButton({ disabled, wipe }: { readonly disabled: boolean; readonly wipe: () => void }): VNode {
  const t = strings.value.keeping;
  const asking = useSignal(false);
  if (!asking.value)
    return (
      <button type="button" class="quiet dangerous" disabled={disabled} onClick={() => (asking.value = true)}>
        {t.wipe}
      </button>
    );
  return (
    <>
      <button
        type="button"
        class="quiet dangerous"
        onClick={() => {
          asking.value = false;
          wipe();
        }}
      >
        {t.wipeNow}
      </button>
      <button type="button" class="quiet" ref={(button) => button?.focus()} onClick={() => (asking.value = false)}>
        {strings.value.cancel}
      </button>
    </>
  );
}
