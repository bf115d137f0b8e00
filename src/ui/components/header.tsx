import type { VNode } from 'preact';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { IconButton } from './icon-button.tsx';
import { ModelStatus } from './model-status.tsx';
import { showChat } from './router.ts';

export function Header(): VNode {
  const { preferences } = usePage();
  const t = strings.value.sidebar;
  return (
    <header class="header">
      {!preferences.sidebarOpen.value && (
        <>
          <IconButton
            icon="sidebar"
            label={t.open}
            keys="Control+B"
            onClick={() => {
              preferences.sidebarOpen.value = true;
            }}
          />
          <IconButton icon="plus" label={t.newChat} onClick={() => showChat(undefined)} />
        </>
      )}
      <ModelStatus />
      <IconButton
        icon="drawer"
        class="drawer-button"
        label={strings.value.drawer.open}
        keys="Control+."
        expanded={preferences.drawerOpen.value}
        onClick={() => {
          preferences.drawerOpen.value = !preferences.drawerOpen.value;
        }}
      />
    </header>
  );
}
