import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** Everything in light; what differs in dark is colours. */
export async function isAccessible(page: Page, state: string): Promise<void> {
  await page.evaluate(`globalThis.axe === undefined && (() => { ${axe.source} })()`);
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    const found = await page.evaluate(async (only) => {
      const { axe } = globalThis as unknown as { axe: { run(what: object, how: object): Promise<axe.AxeResults> } };
      const { violations } = await axe.run(document, only ? { runOnly: ['color-contrast'] } : {});
      return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
    }, scheme === 'dark');
    expect.soft(found, `${state}, ${scheme}`).toEqual([]);
  }
}
