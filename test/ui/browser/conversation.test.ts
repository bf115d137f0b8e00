import { afterEach, beforeEach, expect, it } from 'vitest';
import { finish } from '../../http/support.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, ends, field, openTalk, says, send, type Talk, whole } from './talk.ts';

describeInBrowser('what is said', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  const open = async () => {
    seen = await visit(talk.url);
    await field(seen.page).waitFor();
    await seen.page.locator('[data-phase=ready]').waitFor();
    return seen.page;
  };
  beforeEach(async () => {
    talk = await openTalk();
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  it('shows the arguments of a call while they are written, and says that nothing runs it', async () => {
    const page = await open();
    await send(page, 'Weather?');
    const run = await talk.run();
    run.say(
      { type: 'start', inputTokens: 10, cachedTokens: 0 },
      { type: 'block-start', index: 0, kind: 'tool-call', id: 'call_1', name: 'get_weather' },
      { type: 'block-delta', index: 0, delta: '{"city":' },
    );
    await page.locator('.tool-call pre', { hasText: '{"city":' }).waitFor();
    run.say({ type: 'block-delta', index: 0, delta: '"Paris"}' });
    ends(run, finish({ reason: 'tool-calls' }));
    await page.getByText('No tool is connected').waitFor();
    expect(await page.locator('.tool-call pre').textContent()).toBe('{\n  "city": "Paris"\n}');
  });

  it('asks another model the same, beside what the first one said', async () => {
    seen = await visit(talk.url, {
      before: async (page) => {
        const models = ['demo', 'alias', 'other'].map((id) => ({
          id,
          state: id === 'other' ? 'unloaded' : 'loaded',
          root: id === 'alias' ? 'demo' : id,
        }));
        await page.route('**/v1/models', (route) => route.fulfill({ json: { data: models } }));
      },
    });
    const { page } = seen;
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, 'Who are you?');
    answers(await talk.run(0), 'The first.');
    await whole(page);
    await page.getByRole('button', { name: 'Answer again with another model' }).click();
    expect(await page.locator('[role=menuitem]:visible').allTextContents()).toEqual(['other (is loaded first)']);
    const asked = page.waitForRequest(/\/chat\/completions$/);
    await page.getByRole('menuitem', { name: /^other/ }).click();
    expect((await asked).postDataJSON()).toMatchObject({ model: 'other', messages: [{ content: 'Who are you?' }] });
    answers(await talk.run(1), 'The second.');
    await page.locator('.versions', { hasText: '2 / 2' }).waitFor();
  });

  it('shows what a model writes as text, whatever it writes', async () => {
    const page = await open();
    const hostile =
      '<img src=x onerror=alert(1)> <script>alert(1)</script> [go](javascript:alert(1)) [d](data:text/html,x) <b onclick=a()>b</b>\n\n<iframe src="https://a.de"></iframe>\n\n![p](https://tracker.example/p.png)';
    await send(page, hostile);
    answers(await talk.run(), hostile);
    await whole(page);
    const shown = (await page.locator('.answer').textContent()) ?? '';
    for (const text of [
      '<img src=x onerror=alert(1)>',
      '<script>alert(1)</script>',
      '<iframe src="https://a.de"></iframe>',
    ])
      expect(shown).toContain(text);
    expect(await page.locator('.turn :is(img, script, iframe, b, [onclick])').count()).toBe(0);
    expect(
      await page.locator('.turn a').evaluateAll((links) => links.map((link) => link.getAttribute('href'))),
    ).toEqual(['https://tracker.example/p.png']);
    expect(await page.locator('.chat-title').first().textContent()).toContain('<img src=x');
  });

  it('does not move by a pixel while one reads further up, and follows at its end', async () => {
    const page = await open();
    const box = page.locator('.conversation-box');
    await send(page, 'Long');
    const run = await talk.run();
    says(
      run,
      'text',
      Array.from({ length: 60 }, (_, index) => `Paragraph ${index}\n\n`),
    );
    await page.getByText('Paragraph 59').waitFor();
    const fromEnd = () => box.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    await expect.poll(fromEnd).toBeLessThan(2);
    await box.evaluate((element) => element.scrollTo({ top: 400 }));
    await page.locator('.to-end[data-hidden=false]').waitFor();
    const place = () =>
      page.getByText('Paragraph 12', { exact: true }).evaluate((element) => element.getBoundingClientRect().top);
    const before = await place();
    for (let index = 60; index < 90; index++)
      says(run, 'text', [`Paragraph ${index}\n\n\`\`\`\ncode\n\`\`\`\n`], { begin: false });
    await page.getByText('Paragraph 89').waitFor({ state: 'attached' });
    expect(await place()).toBe(before);
    ends(run);
    await whole(page);
    expect(await place()).toBe(before);
    expect(await box.evaluate((element) => element.scrollTop)).toBe(400);
    await page.getByRole('button', { name: 'New text below' }).click();
    await expect.poll(fromEnd).toBeLessThan(2);
  });

  it('keeps branches: edit, answer again, turn between versions, fork, after a reload too', async () => {
    const page = await open();
    await send(page, 'First question');
    answers(await talk.run(0), 'Answer one');
    await whole(page);
    await page.getByRole('button', { name: 'Answer again' }).click();
    answers(await talk.run(1), 'Answer two');
    await page.getByText('Answer two').waitFor();
    await whole(page);
    await page.getByRole('button', { name: 'Previous version' }).click();
    await page.getByText('Answer one').waitFor();
    await page.locator('.user-turn').hover();
    await page.locator('.user-turn').getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('textbox', { name: 'Edit the message' }).fill('Second question');
    await page.locator('.message-editor').getByRole('button', { name: 'Send' }).click();
    answers(await talk.run(2), 'Answer three');
    await page.getByText('Answer three').waitFor();
    await whole(page);
    await page.reload();
    await page.getByText('Answer three').waitFor();
    expect(await page.locator('.bubble').textContent()).toBe('Second question');
    await page.locator('.user-turn').getByRole('button', { name: 'Previous version' }).click();
    await page.getByText('First question').first().waitFor();
    await page.getByText('Answer two').waitFor();
    await page.getByRole('button', { name: 'Fork into a new chat' }).click();
    await expect.poll(() => page.locator('.chat-row').count()).toBe(2);
    expect(await page.locator('.bubble').textContent()).toBe('First question');
  });

  it('goes on with a cut answer as if it had not been cut, and with one that a person changed', async () => {
    const page = await open();
    await send(page, 'Count');
    answers(await talk.run(0), 'one, two, thr', finish({ reason: 'length' }));
    await page.getByText(/Cut at the limit of 2 tokens/).waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    const run = await talk.run(1);
    expect(JSON.stringify(run.request)).toContain('one, two, thr');
    answers(run, 'ee, four');
    await page.getByText('one, two, three, four').waitFor();
    await whole(page);
    await page.locator('.answer').getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('textbox', { name: 'Edit the message' }).fill('one, two, five');
    await page.getByRole('button', { name: 'Save and continue' }).click();
    answers(await talk.run(2), ', six');
    await page.getByText('one, two, five, six').waitFor();
  });
});
