import type { Page } from '../state/page.ts';
import { lastAnswer } from './composer.tsx';
import { copyText } from './copy-button.tsx';
import { showChat } from './router.ts';

/** Keys that work wherever the cursor is. Gives a function that ends it. */
export function listenToKeys(page: Page): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing || event.defaultPrevented) return;
    const action = actionFor(event, page);
    if (!action) return;
    event.preventDefault();
    action();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

function actionFor(event: KeyboardEvent, page: Page): (() => void) | undefined {
  const { view, preferences, chats, runs } = page;
  const command = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (key === 'escape' && !command) {
    if (event.shiftKey) return () => (view.focusComposer.value += 1);
    // What is open is closed first, by the browser.
    if (document.querySelector('dialog[open], [popover]:popover-open')) return undefined;
    return runs.ofChat(chats.open.value?.id ?? '') && (() => chats.stop());
  }
  if (!command) return undefined;
  if (event.shiftKey) {
    if (key === 'o')
      return () => {
        showChat(undefined);
        view.focusComposer.value += 1;
      };
    if (key === 'c' && getSelection()?.isCollapsed !== false) {
      const text = lastAnswer([...chats.path.value]);
      return text === undefined ? undefined : () => void copyText(text);
    }
    return undefined;
  }
  switch (key) {
    case 'k':
      return () => {
        preferences.sidebarOpen.value = true;
        setTimeout(() => (view.focusSearch.value += 1));
      };
    case 'b':
      return () => (preferences.sidebarOpen.value = !preferences.sidebarOpen.value);
    case '.':
      return () => (preferences.drawerOpen.value = !preferences.drawerOpen.value);
    case '/':
      return () => (view.dialog.value = 'shortcuts');
    default:
      return undefined;
  }
}
