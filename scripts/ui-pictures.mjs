// The pictures of the chat page that the README shows: the built page of a running server, with a chat that is made up
// (the demo model has little to say). node scripts/ui-pictures.mjs http://127.0.0.1:8080
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';

const [url] = process.argv.slice(2);
const folder = resolve(import.meta.dirname, '../src/ui/pictures');
const thought =
  'The user wants a short comparison and a piece of code. A table will do, and a function that can be run.';
const text = `Both find an element by halving what is left, but they differ in what they need:

| | needs | steps for a million | good for |
| --- | --- | ---: | --- |
| **Binary search** | sorted data | 20 | lookups in memory |
| **B-tree** | pages on disk | 3 | databases |

Here is the first one, which gives the place where the value would be put if it is not there:

\`\`\`python
def find(values, wanted):
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
\`\`\`

1. It never reads a value twice.
2. It works for anything that can be *ordered*.
`;

function frames() {
  const chunk = (delta, finish = null, rest = {}) => ({
    id: 'chatcmpl-1',
    model: 'serve-model-demo',
    choices: [{ index: 0, delta, finish_reason: finish, ...(finish && { seed: 7 }) }],
    ...rest,
  });
  const timings = {
    queue_ms: 0,
    prompt_ms: 94,
    prompt_per_second: 3120,
    predicted_ms: 7020,
    predicted_per_second: 41.3,
  };
  const usage = {
    prompt_tokens: 1292,
    completion_tokens: 290,
    prompt_tokens_details: { cached_tokens: 1204 },
    completion_tokens_details: { reasoning_tokens: 24 },
  };
  const all = [
    chunk({ reasoning_content: thought }),
    chunk({ content: text }),
    chunk({}, 'stop'),
    { id: 'chatcmpl-1', choices: [], usage, timings },
  ];
  return `${all.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')}data: [DONE]\n\n`;
}

async function picture(browser, { name, ...options }) {
  const context = await browser.newContext({ locale: 'en-US', deviceScaleFactor: 1, ...options });
  const page = await context.newPage();
  await page.route('**/v1/chat/completions', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: frames() }),
  );
  await page.route('**/api/ui/config', async (route) => {
    const answer = await (await route.fetch()).json();
    answer.caller.can.chat_store = false;
    await route.fulfill({ json: answer });
  });
  await page.goto(url);
  await page.locator('[data-phase=ready]').waitFor();
  for (const question of ['How do B-trees keep a database quick?', 'Compare binary search with a B-tree.']) {
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill(question);
    await page.keyboard.press('Enter');
    await page.locator('.answer-footer[data-last=true] .figures').waitFor();
    if (question.startsWith('How')) await page.goto(`${url}/#/`);
  }
  await page.getByRole('textbox', { name: 'Message', exact: true }).fill('And which one does SQLite use?');
  await page.locator('.context-total').waitFor();
  await page.mouse.move(0, 0);
  const session = await context.newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
  writeFileSync(resolve(folder, `${name}.webp`), Buffer.from(data, 'base64'));
  await context.close();
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.SERVE_MODEL_CHROMIUM ?? '/usr/bin/chromium' });
await picture(browser, { name: 'chat-light', viewport: { width: 1280, height: 860 }, colorScheme: 'light' });
await picture(browser, { name: 'phone', viewport: { width: 375, height: 760 }, colorScheme: 'dark', hasTouch: true });
await browser.close();
