import type { ComponentChildren, VNode } from 'preact';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { IconButton } from '../icon-button.tsx';
import { FormPart } from './form-part.tsx';
import { LensSwitch } from './lens-switch.tsx';
import { PresetPart } from './preset-part.tsx';
import { PromptPart } from './prompt-part.tsx';
import { SamplingPart } from './sampling-part.tsx';
import { ServerPart } from './server-part.tsx';
import { SystemPart } from './system-part.tsx';
import '../../styles/drawer.css';

/** How answers are to be, and what the model and its server make of it. */
export function Drawer(): VNode {
  const { preferences, environment, view } = usePage();
  const t = strings.value.drawer;
  const close = () => {
    preferences.drawerOpen.value = false;
    view.focusComposer.value += 1;
  };
  return (
    <aside
      class="drawer"
      aria-label={t.name}
      onKeyDown={(event) => {
        // Where it lies over the page, Escape puts it away.
        if (event.key !== 'Escape' || environment.wide || event.defaultPrevented) return;
        event.preventDefault();
        close();
      }}
    >
      <header class="drawer-top">
        <h2>{t.name}</h2>
        <IconButton icon="close" label={t.close} keys="Control+." onClick={close} />
      </header>
      <PresetPart />
      <SystemPart />
      <Part name={t.sampling} open>
        <SamplingPart />
        <LensSwitch />
      </Part>
      <Part name={t.form}>
        <FormPart />
      </Part>
      <Part name={t.prompt}>
        <PromptPart />
      </Part>
      <Part name={t.server}>
        <ServerPart />
      </Part>
    </aside>
  );
}

interface PartProps {
  readonly name: string;
  readonly open?: boolean;
  readonly children: ComponentChildren;
}

function Part({ name, open = false, children }: PartProps): VNode {
  return (
    <details class="drawer-part" open={open}>
      <summary>{name}</summary>
      <div class="drawer-body">{children}</div>
    </details>
  );
}
