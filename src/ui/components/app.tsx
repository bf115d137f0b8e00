import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { isAway, reasonOf } from '../api/failure.ts';
import { prepareColours } from '../markdown/highlight.ts';
import { type Page, PageProvider } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { ComposerBox } from './composer.tsx';
import { FileDrop } from './composer-files.tsx';
import { ConnectionBar } from './connection-bar.tsx';
import { Conversation } from './conversation.tsx';
import { KeyDialog, ShortcutsDialog } from './dialogs.tsx';
import { Header } from './header.tsx';
import { listenToKeys } from './keys.ts';
import { Later } from './later.tsx';
import { chatInAddress } from './router.ts';
import { Sidebar } from './sidebar.tsx';
import { ToastList } from './toasts.tsx';

const drawer = () => import('./drawer/drawer.tsx').then(({ Drawer }) => Drawer);
const keepingDialog = () => import('./keeping/keeping-dialog.tsx').then(({ KeepingDialog }) => KeepingDialog);
const contextDialog = () => import('./context/context-dialog.tsx').then(({ ContextDialog }) => ContextDialog);
const modelsDialog = () => import('./models/models-dialog.tsx').then(({ ModelsDialog }) => ModelsDialog);

export function App({ page }: { readonly page: Page }): VNode {
  useEffect(() => listenToKeys(page), [page]);
  useEffect(() => {
    const follow = () => {
      const id = chatInAddress(location.hash);
      page.chats.show(id).catch((thrown: unknown) => {
        // While the server is away the page says so, and reads the chat when it is back.
        if (!isAway(thrown)) page.toasts.show(strings.value.page.chatUnread(reasonOf(thrown)));
      });
      // While the chat is read: its code stands in its colours at once.
      if (id !== undefined) prepareColours();
      page.view.editing.value = undefined;
      if (!page.environment.wide) page.preferences.sidebarOpen.value = false;
    };
    addEventListener('hashchange', follow);
    follow();
    return () => removeEventListener('hashchange', follow);
  }, [page]);
  const { theme, sidebarOpen, drawerOpen } = page.preferences;
  useEffect(() => {
    document.documentElement.dataset.theme = theme.value;
  }, [theme.value]);
  const { locale } = strings.value;
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  const title = page.chats.open.value?.title;
  useEffect(() => {
    document.title = title ? `${title} · serve-model` : 'serve-model';
  }, [title]);
  return (
    <PageProvider value={page}>
      <div class="page" data-sidebar={sidebarOpen.value} data-drawer={drawerOpen.value}>
        <button
          type="button"
          class="skip"
          onClick={() => {
            page.view.focusComposer.value += 1;
          }}
        >
          {strings.value.page.skip}
        </button>
        {sidebarOpen.value && <Sidebar />}
        {sidebarOpen.value && (
          <button
            type="button"
            class="backdrop"
            aria-label={strings.value.sidebar.hide}
            tabIndex={-1}
            onClick={() => {
              sidebarOpen.value = false;
            }}
          />
        )}
        <main class="main">
          <Header />
          <ConnectionBar />
          <Conversation />
          <div class="composer-area">
            <ComposerBox />
          </div>
        </main>
        {drawerOpen.value && <Later load={drawer} />}
        <FileDrop />
        {page.view.dialogs.value === 0 && <ToastList />}
        <KeyDialog />
        <ShortcutsDialog />
        {page.view.dialog.value === 'keeping' && <Later load={keepingDialog} />}
        {page.view.dialog.value === 'context' && <Later load={contextDialog} />}
        {page.view.dialog.value === 'models' && <Later load={modelsDialog} />}
        <p class="off-screen" role="status" aria-live="polite">
          {page.view.announcement.value}
        </p>
      </div>
    </PageProvider>
  );
}
