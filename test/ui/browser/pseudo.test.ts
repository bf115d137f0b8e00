import { expect, it } from 'vitest';
import { closeBrowserAfterwards, describeInBrowser, visit } from './support.ts';
import { answers, openTalk, whole } from './talk.ts';

describeInBrowser('the words of the page', () => {
  closeBrowserAfterwards();

  it('all come from the table: in the marked language nothing stands there without marks', async () => {
    const talk = await openTalk();
    const { page, end } = await visit(talk.url, {
      before: async (page) =>
        void (await page.addInitScript(() => localStorage.setItem('serve-model:language', 'pseudo'))),
    });
    await page.locator('[data-phase=ready]').waitFor();
    await page.locator('.composer textarea[aria-label^="⟦"]').waitFor();
    const found: string[] = [];
    const look = async () => void found.push(...(await page.evaluate(unmarked)));
    await look();
    await page.locator('.composer textarea').fill('~');
    await page.locator('.composer textarea').press('Enter');
    answers(await talk.run(), '~');
    await whole(page);
    await look();
    for (const open of ['Control+.', 'Control+/']) {
      await page.keyboard.press(open);
      await page.locator(open === 'Control+.' ? '.drawer' : 'dialog[open]').waitFor();
      await look();
    }
    await page.keyboard.press('Escape');
    for (const button of ['.model-status', '.where', 'button.context-meter', 'button.figures']) {
      await page.locator(button).first().click();
      await page.locator('dialog[open], .figures-panel:popover-open').first().waitFor();
      await look();
      await page.keyboard.press('Escape');
    }
    expect([...new Set(found)]).toEqual([]);
    await end();
    await talk.close();
  });
});

/** Texts, and names of elements, that have a word in them and no mark around it. In the page. */
function unmarked(): string[] {
  /** Not the page's own words: the reader's and the model's, names of models, of languages, of keys and of units. */
  const others =
    'pre, code, kbd, option, .model-name, .model-row, .chat-title, .bubble, .markdown, .figures, .figures-panel dd, textarea, .drawer-server, [translate=no]';
  const isOurs = (text: string) => /[a-z]{3}/i.test(text) && !/[⟦⟧]/.test(text);
  const texts: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement, textContent } = walker.currentNode;
    if (!parentElement || parentElement.closest(`${others}, script, style`) || !parentElement.checkVisibility())
      continue;
    if (isOurs(textContent ?? '')) texts.push(`${parentElement.className}: ${textContent}`);
  }
  for (const element of document.querySelectorAll('[aria-label], [placeholder], [title], img[alt]'))
    for (const name of ['aria-label', 'placeholder', 'title', 'alt'])
      if (!element.closest(others) && isOurs(element.getAttribute(name) ?? ''))
        texts.push(`${name}: ${element.getAttribute(name)}`);
  return texts;
}
