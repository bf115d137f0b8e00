import { expect, it } from 'vitest';
import { type GenerationRequest, textOfContent } from '../../../src/contract/request.ts';
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
    await dialog.getByRole('button', { name: 'Undo' }).click();
    await expect
      .poll(() => rows.locator('.context-tokens').allTextContents())
      .toEqual(['690 tokens', '600 tokens', '600 tokens']);
    await dialog.getByRole('button', { name: /^Leave out “Second”/ }).click();
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
    await third.getByText('900 new + 90 kept · first token ≈ 5 ms').waitFor();
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

  it('has turns that are shortened: proposed and counted first, undone, changed, summed up, kept', async () => {
    const talk = await openTalk();
    talk.door.generation.countTokens = async (request?: GenerationRequest) => ({
      inputTokens: wordsIn(request),
      // All of it: nothing is read ahead.
      cachedTokens: wordsIn(request),
      firstTokenMs: 5,
    });
    const { page, end } = await visit(talk.url, { reducedMotion: 'reduce' });
    await page.locator('[data-phase=ready]').waitFor();
    const long = Array.from({ length: 300 }, (_, index) => `line ${index}`).join('\n');
    await send(page, `Read this.\n${long}\nThe end.`);
    answers(await talk.run(0), 'I have read it.');
    await whole(page);
    await field(page).fill('And now?');
    const total = page.locator('.context-total');
    await total.filter({ hasText: /^610 of/ }).waitFor();

    await page.locator('button.context-meter').click();
    const dialog = page.getByRole('dialog', { name: 'Context' });
    const rows = dialog.locator('.context-rows > li');
    const sizes = () => rows.locator('.context-tokens').allTextContents();
    await expect.poll(sizes).toEqual(['608 tokens']);
    const open = dialog.getByRole('button', { name: /^Shorten(ed:)? “Read this/ });
    await open.click();
    const part = dialog.getByRole('textbox', { name: 'Your message' });
    const proposed = await part.inputValue();
    expect(proposed).toMatch(/^Read this\.\nline 0\n[\s\S]*\n\[… \d+ characters left out …\]\n[\s\S]*\nThe end\.$/);
    const saved = 604 - wordsOf(proposed);
    await dialog.getByText(`Saves ${saved} tokens. Then nothing has to be read anew.`).waitFor();
    await isAccessible(page, 'a turn that is being shortened');
    // Escape leaves what was opened last.
    await page.keyboard.press('Escape');
    await expect.poll(() => part.count()).toBe(0);
    await open.click();
    await dialog.getByRole('button', { name: 'Shorten the turn' }).click();
    await expect.poll(sizes).toEqual([`${608 - saved} tokens`]);
    expect(await open.textContent()).toBe('Shortened');
    await dialog.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(sizes).toEqual(['608 tokens']);

    await open.click();
    await dialog.getByRole('button', { name: 'Let the model sum it up' }).click();
    const summary = await talk.run(1);
    expect(JSON.stringify(summary.request)).toContain('line 299');
    answers(summary, 'Three hundred lines.');
    await expect.poll(() => part.inputValue()).toBe('Three hundred lines.');
    await dialog.getByText('Saves 601 tokens.').waitFor();
    await dialog.getByRole('button', { name: 'Shorten the turn' }).click();
    await expect.poll(sizes).toEqual(['7 tokens']);
    await page.keyboard.press('Escape');
    await total.filter({ hasText: /^9 of/ }).waitFor();

    await page.reload();
    const turn = page.locator('.user-turn');
    await turn.locator('.bubble', { hasText: 'line 150' }).waitFor();
    await turn.getByText('shortened for the model').click();
    expect(await turn.locator('.short-note pre').textContent()).toBe('Three hundred lines.');
    await isAccessible(page, 'a shortened turn');
    const asked = page.waitForRequest(/\/chat\/completions$/);
    await field(page).press('Enter');
    expect((await asked).postDataJSON().messages.map(({ content }: { content: string }) => content)).toEqual([
      'Three hundred lines.',
      'I have read it.',
      'And now?',
    ]);
    answers(await talk.run(2), 'Done.');
    await whole(page);
    await page.locator('button.context-meter').click();
    await open.click();
    await dialog.getByRole('button', { name: 'Read it whole again' }).click();
    await page.keyboard.press('Escape');
    await expect.poll(() => turn.locator('.short-note').count()).toBe(0);
    await end();
    await talk.close();
  });
});

/** As many tokens as words. */
function wordsIn(request?: GenerationRequest): number {
  const messages = request?.prompt.type === 'chat' ? request.prompt.messages : [];
  return messages.reduce((sum, { content }) => sum + wordsOf(textOfContent(content)), 0);
}

function wordsOf(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}
