import type { VNode } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { ModelShelf } from '../../state/model-shelf.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { Dialog } from '../dialogs.tsx';
import { HubModels } from './hub-models.tsx';
import { LoadSettings } from './load-settings.tsx';
import { LoadUnderWay } from './load-under-way.tsx';
import { LoadedModels } from './loaded-models.tsx';
import { LocalModels } from './local-models.tsx';
import '../../styles/models.css';

/** Which models are loaded, which could be, and how to make them come and go. */
export function ModelsDialog(): VNode {
  const { view, api, server } = usePage();
  const shelf = useMemo(() => new ModelShelf(api), [api]);
  const t = strings.value.models;
  const loaded = server.loaded.value.map(({ id }) => id).join();
  const mayChange = server.rights.value.changeModels;
  // What is loaded changes what is on the shelf, and a download ends there.
  useEffect(() => {
    loaded;
    if (mayChange) void shelf.readLocal();
    shelf.forgetRepositories();
  }, [shelf, mayChange, loaded]);
  return (
    <Dialog
      title={t.title}
      class="models-dialog"
      onClose={() => {
        view.dialog.value = undefined;
      }}
    >
      <LoadUnderWay />
      <LoadedModels />
      {mayChange ? (
        <>
          <LoadSettings />
          <LocalModels shelf={shelf} />
          <HubModels shelf={shelf} />
        </>
      ) : (
        <p class="models-note">{t.mayNot}</p>
      )}
    </Dialog>
  );
}
