import { effect } from '@preact/signals';
import type { Page } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { ownAsset } from './own-assets.ts';

export interface FollowOptions {
  /** The page was opened while the server did not answer: nothing has been done with it yet. */
  readonly alone: boolean;
  /** The worker that the page was opened with. */
  readonly first: ServiceWorker | null;
}

/**
 * Has the browser keep the page for when the server does not answer, and look for another one when the server is back.
 * Rejects where the browser does not want to.
 */
export async function followWorker(page: Page, { alone, first }: FollowOptions): Promise<void> {
  const { base } = page.environment;
  const container = navigator.serviceWorker;
  const compare = () => {
    // Where there was none, the first one to come is of the same build as the page.
    if (first && container.controller !== first) changed(page, alone);
  };
  container.addEventListener('controllerchange', compare);
  // Meanwhile the browser may have looked by itself.
  compare();
  const worker = ownAsset(new URL('ui/service-worker.js', base), base);
  const registration = await container.register(worker, { scope: base });
  let wasGone = true;
  effect(() => {
    const isGone = page.server.phase.value === 'gone';
    if (wasGone && !isGone) void registration.update().catch(() => undefined);
    wasGone = isGone;
  });
  const { active } = await container.ready;
  // Another build keeps its own.
  if (!first || active === first) active?.postMessage(performance.getEntriesByType('resource').map(({ name }) => name));
}

/** The server has another build of this page, which may know what this one does not. */
function changed({ toasts, composer, runs }: Page, alone: boolean): void {
  const reload = () => location.reload();
  // What was written stays over a reload; files do not.
  if (alone && runs.live.value.size === 0 && composer.files.value.length === 0) reload();
  else toasts.show(strings.value.page.changed, { label: strings.value.page.reload, run: reload });
}
