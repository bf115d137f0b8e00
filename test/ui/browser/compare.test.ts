import { expect, it } from 'vitest';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, visit } from './support.ts';
import { ends, field, openTalk, says, send } from './talk.ts';

describeInBrowser('answers side by side', () => {
  closeBrowserAfterwards();

  it('are written together, stopped one by one, taken one of, kept all, and compared again later', async () => {
    const talk = await openTalk();
    const { page, end } = await visit(talk.url, { reducedMotion: 'reduce' });
    await page.locator('[data-phase=ready]').waitFor();
    await page.getByLabel('Answers at once').selectOption('4');
    await send(page, 'Which one?');
    const columns = page.locator('.compared');
    await columns.nth(3).waitFor();
    const runs = await Promise.all([0, 1, 2].map((index) => talk.run(index)));
    for (const [index, run] of runs.entries()) says(run, 'text', [`This is number ${index + 1}.`]);
    for (const index of [0, 1, 2])
      await columns
        .nth(index)
        .getByText(/This is number \d\./)
        .waitFor();
    // The browser's connections would leave none for a stop.
    await columns.nth(3).getByText('Waiting for another answer of this page to end').waitFor();
    expect(talk.runs).toHaveLength(3);
    const tops = await columns.evaluateAll((all) => all.map((each) => each.getBoundingClientRect().top));
    expect(new Set(tops).size).toBe(1);
    await isAccessible(page, 'comparing');
    await page.getByRole('button', { name: 'Stop answer 4' }).click();
    await expect.poll(() => columns.count()).toBe(3);
    for (const run of runs.slice(1)) {
      says(run, 'text', [' Whole.'], { begin: false });
      ends(run);
    }
    await expect.poll(() => page.locator('.compared .answer[aria-busy=false]').count()).toBe(2);
    await columns.filter({ has: page.getByRole('button', { name: /^Stop/ }) }).waitFor();
    await page.keyboard.press('Escape');
    await columns.locator('.chip', { hasText: /stopped/i }).waitFor();
    expect(talk.cancels).toHaveLength(1);
    await page.setViewportSize({ width: 400, height: 800 });
    const lefts = await columns.evaluateAll((all) => all.map((each) => each.getBoundingClientRect().left));
    expect(new Set(lefts).size).toBe(1);
    await page.setViewportSize({ width: 1200, height: 800 });
    await page.getByRole('button', { name: /: answer 1$/ }).focus();
    await page.keyboard.press('ArrowRight');
    const taken = (await columns.nth(1).locator('.markdown').textContent()) ?? '';
    await page.keyboard.press('Enter');
    await page.locator('.comparison').waitFor({ state: 'detached' });
    await page.reload();
    await page.locator('.answer .markdown', { hasText: taken }).waitFor();
    await page.getByRole('group', { name: /^Version . of 3$/ }).waitFor();
    await page.getByRole('button', { name: 'Show the versions side by side' }).click();
    await expect.poll(() => columns.count()).toBe(3);
    const asked = page.waitForRequest(/\/chat\/completions$/);
    await field(page).fill('Go on');
    await field(page).press('Enter');
    const sent: { messages: { content: string }[] } = (await asked).postDataJSON();
    expect(sent.messages.map(({ content }) => content)).toEqual(['Which one?', taken, 'Go on']);
    await talk.run(3);
    await end();
    await talk.close();
  });
});
