import type { VNode } from 'preact';
import { reasonOf } from '../api/failure.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { showChat } from './router.ts';

/** Lies over the top while something is wrong with the server or the chat: nothing else moves because of it. */
export function ConnectionBar(): VNode {
  const { server, storeTrouble, chats, view } = usePage();
  const t = strings.value;
  const gone = server.phase.value === 'gone';
  const trouble = storeTrouble.value;
  return (
    <div class="bars" role="status">
      {gone && (
        <div class="bar">
          <span>
            <strong>{t.server.gone}</strong> {chats.listed.value && t.server.goneHint}
          </span>
          <button type="button" class="text-button" onClick={() => void server.look()}>
            {t.server.tryNow}
          </button>
        </div>
      )}
      {chats.isGone.value && (
        <div class="bar">
          <span>
            <strong>{t.deleted.told}</strong> {t.deleted.hint}
          </span>
          <button type="button" class="text-button" onClick={() => void chats.bringBack()}>
            {t.deleted.bringBack}
          </button>
          <button type="button" class="text-button" onClick={() => showChat(undefined)}>
            {t.deleted.close}
          </button>
        </div>
      )}
      {trouble !== undefined && (
        <div class="bar dangerous">
          <span>
            <strong>{t.failure.store}</strong> {isQuota(trouble) ? t.failure.storeFull : reasonOf(trouble)}
          </span>
          <button type="button" class="text-button" onClick={() => void chats.keepRefused()}>
            {t.retry}
          </button>
          <button
            type="button"
            class="text-button"
            aria-haspopup="dialog"
            onClick={() => {
              view.dialog.value = 'keeping';
            }}
          >
            {t.failure.storeExport}
          </button>
        </div>
      )}
    </div>
  );
}

/** The browser's own word for it has no sentence with it. */
function isQuota(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}
