import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, type VisitOptions, visit } from './support.ts';
import { answers, field, openTalk, send, type Talk, whole } from './talk.ts';

describeInBrowser('the settings of answers', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  let count = 0;
  const open = async (how: VisitOptions = {}) => {
    seen = await visit(talk.url, { viewport: { width: 1400, height: 900 }, reducedMotion: 'reduce', ...how });
    await seen.page.locator('[data-phase=ready]').waitFor();
    await seen.page.keyboard.press('Control+.');
    await drawer(seen.page).waitFor();
    return seen.page;
  };
  /** What goes over the wire for one message. */
  const sent = async (page: Page, text: string) => {
    const [request] = await Promise.all([page.waitForRequest(/\/v1\/chat\/completions$/), send(page, text)]);
    answers(await talk.run(count++), 'Fine.');
    await whole(page);
    return request.postDataJSON() as Record<string, unknown>;
  };
  beforeEach(async () => {
    count = 0;
    talk = await openTalk();
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  it('sends what somebody set and nothing else, after a reload too', async () => {
    const page = await open();
    const always = Object.keys(await sent(page, 'One'));
    expect(always.filter((name) => /temperature|top_|min_p|penalty|max_tokens|seed|format/.test(name))).toEqual([]);
    await page.getByLabel('Temperature', { exact: true }).fill('0.35');
    await page.getByLabel('Seed', { exact: true }).fill('7');
    await page.locator('.sampling-field', { hasText: 'Temperature' }).getByText('yours').waitFor();
    expect(await sent(page, 'Two')).toMatchObject({ temperature: 0.35, seed: 7 });
    await page.reload();
    await page.getByRole('button', { name: 'Seed: back to the default' }).click();
    const third = await sent(page, 'Three');
    expect(third).toMatchObject({ temperature: 0.35 });
    expect(Object.keys(third)).toEqual(expect.arrayContaining(always));
    expect(third).not.toHaveProperty('seed');
  });

  it('takes no number that the server would not', async () => {
    const page = await open();
    await page.getByLabel('Top p', { exact: true }).fill('7');
    expect(await sent(page, 'One')).not.toHaveProperty('top_p');
  });

  it('saves, changes, takes back, applies and deletes presets', async () => {
    const page = await open();
    const system = page.getByLabel('System prompt');
    await system.fill('Answer like a pirate.');
    await page.getByRole('button', { name: 'Save as a preset' }).click();
    await page.getByRole('textbox', { name: 'Name of the preset' }).fill('Pirate');
    await page.keyboard.press('Enter');
    await page.getByLabel('Temperature', { exact: true }).fill('2');
    await page.locator('.preset-row', { hasText: 'changed' }).waitFor();
    await page.getByRole('button', { name: 'Take the changes back' }).click();
    expect(await page.getByLabel('Temperature', { exact: true }).inputValue()).toBe('');
    await page.getByRole('combobox', { name: 'Preset' }).selectOption('');
    expect(await system.inputValue()).toBe('');
    await page.reload();
    await page.getByRole('combobox', { name: 'Preset' }).selectOption('Pirate');
    expect(await system.inputValue()).toBe('Answer like a pirate.');
    expect((await sent(page, 'Ahoy')).messages).toMatchObject([
      { role: 'system', content: 'Answer like a pirate.' },
      { role: 'user', content: 'Ahoy' },
    ]);
    await page.getByRole('button', { name: 'Delete the preset “Pirate”' }).click();
    expect(await page.getByRole('combobox', { name: 'Preset' }).locator('option').count()).toBe(1);
  });

  it('holds answers to a schema or a grammar, and sends nothing that is neither', async () => {
    const page = await open();
    await page.locator('.drawer summary', { hasText: 'Form of the answer' }).click();
    await page.getByRole('radio', { name: 'JSON Schema' }).check();
    const text = page.getByRole('textbox', { name: 'JSON Schema' });
    await text.fill('{"type":');
    await page.getByText(/This is no JSON Schema/).waitFor();
    await field(page).fill('Broken');
    await field(page).press('Enter');
    await page.locator('.toast', { hasText: 'This is no JSON Schema' }).waitFor();
    expect(await field(page).inputValue()).toBe('Broken');
    await text.fill('{"type":"object"}');
    expect((await sent(page, 'Whole')).response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', schema: { type: 'object' } },
    });
    await page.getByRole('radio', { name: 'Grammar (GBNF)' }).check();
    await page.getByRole('textbox', { name: 'Grammar (GBNF)' }).fill('root ::= "yes"');
    const last = await sent(page, 'Yes?');
    expect(last.grammar).toBe('root ::= "yes"');
    expect(last).not.toHaveProperty('response_format');
  });

  it('shows the prompt token by token, and the server', async () => {
    const page = await open();
    await sent(page, 'Hello');
    await page.getByText('Prompt as the model sees it').click();
    await page.locator('.prompt-view span').nth(1).waitFor();
    expect(await page.locator('.prompt-view span').allTextContents()).toEqual(['H', 'i']);
    await page.locator('.drawer summary', { hasText: 'Server' }).click();
    await page.locator('.server-facts', { hasText: talk.url }).waitFor();
    await page.locator('.drawer summary', { hasText: 'Form of the answer' }).click();
    await page.getByRole('radio', { name: 'JSON Schema' }).check();
    await isAccessible(page, 'drawer');
  });

  it('lies over the page of a telephone, and goes away with Escape', async () => {
    const page = await open({ viewport: { width: 360, height: 740 } });
    await isAccessible(page, 'drawer on a telephone');
    await page.getByLabel('System prompt').fill('Short.');
    await page.keyboard.press('Escape');
    await drawer(page).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Settings of answers' }).click();
    await drawer(page).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });
});

const drawer = (page: Page) => page.getByRole('complementary', { name: 'Settings of answers' });
