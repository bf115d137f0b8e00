import { expect, it } from 'vitest';
import type { GenerationRequest } from '../../../src/contract/request.ts';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, visit } from './support.ts';
import { answers, field, openTalk, send, whole } from './talk.ts';

describeInBrowser('the context', () => {
  closeBrowserAfterwards();

  it('is shown turn by turn; turns are left out, taken back in, pinned, and proposed to go', async () => {
    const talk = await openTalk();
    // So many for each message, and ninety for what is around them all.
    talk.door.generation.countTokens = async (request?: GenerationRequest) => ({
      inputTokens: (request?.prompt.type === 'chat' ? request.prompt.messages.length : 0) * 300 + 90,
      cachedTokens: 90,
      firstTokenMs: 5,
    });
    const { page, end } = await visit(talk.url, { reducedMotion: 'reduce' });
    await page.locator('[data-phase=ready]').waitFor();
    for (const [index, text] of ['First', 'Second', 'Third'].entries()) {
      await send(page, text);
      answers(await talk.run(index), `Answer ${index}`);
      await whole(page);
    }
    await page.locator('button.context-meter').click();
    const dialog = page.getByRole('dialog', { name: 'Context' });
    const rows = dialog.locator('.context-rows li');
    await expect
      .poll(() => rows.locator('.context-tokens').allTextContents())
      .toEqual(['690 tokens', '600 tokens', '600 tokens']);
    await isAccessible(page, 'context');
    await dialog.getByRole('button', { name: 'Always keep “First”' }).click();
    await dialog.getByText('The oldest turn has 600 tokens.').waitFor();
    await dialog.getByRole('button', { name: 'Leave out', exact: true }).first().click();
    await expect
      .poll(() => rows.locator('.context-tokens').allTextContents())
      .toEqual(['690 tokens', 'left out', '600 tokens']);
    await dialog.getByRole('button', { name: /^Take “Second” back in/ }).click();
    await expect
      .poll(() => rows.locator('.context-tokens').allTextContents())
      .toEqual(['690 tokens', '600 tokens', '600 tokens']);
    await dialog.getByRole('button', { name: /^Leave out “First”/ }).click();
    await page.keyboard.press('Escape');
    await page.locator('.user-turn .chip', { hasText: 'left out' }).waitFor();
    const third = page.locator('.user-turn').last();
    await third.hover();
    await third.getByRole('button', { name: 'Edit' }).click();
    // What comes behind it, and what is left out, has no part in it.
    await third.getByText('900 new + 90 kept · first token in about 5 ms').waitFor();
    await isAccessible(page, 'an edit and its price');
    await page.keyboard.press('Escape');
    await page.reload();
    await page.locator('.user-turn .chip', { hasText: 'left out' }).waitFor();
    const asked = page.waitForRequest(/\/chat\/completions$/);
    await field(page).fill('Fourth');
    await field(page).press('Enter');
    expect((await asked).postDataJSON().messages.map(({ content }: { content: string }) => content)).toEqual([
      'Second',
      'Answer 1',
      'Third',
      'Answer 2',
      'Fourth',
    ]);
    answers(await talk.run(3), 'Done.');
    await whole(page);
    await end();
    await talk.close();
  });
});
