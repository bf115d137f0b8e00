// What the chat page costs its browser, beside the budgets: npm run bench:ui. Two answers of 8,000 tokens at 500 tokens a
// second, then 200 chats of 100 turns in the browser and on the server; `-- answers` or `-- chats` does one of the two.
// Exits with 1 where a budget is not kept. For figures that mean something: a quiet machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBrowser, servePage } from './served-page.mjs';
import { streamAnswers } from './streamed-answers.mjs';

const [only] = process.argv.slice(2);
const budgets = { scriptPerToken: 0.2, longestTask: 100, list: 100, search: 100, open: 300 };
const answerTokens = 8000;
const rate = 500;
const chatCount = 200;
const turns = 100;
const rounds = 5;
/** The least that the browser tells as a long task. */
const leastTold = 50;
const deadline = 120_000;

const rows = [];
const median = (values) => values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)];

/** `value` is what the budget is for; `shown` what is printed of it. */
function row(what, value, budget, unit, more = '', shown = value.toFixed(value < 10 ? 3 : 0)) {
  rows.push({
    what,
    figure: `${shown} ${unit}`,
    budget: `${budget} ${unit}`,
    kept: value <= budget ? 'yes' : 'NO',
    more,
  });
}

const section = (index) => `## Part ${index}

What is **halved** each time is \`log2(n)\` long: ${index} of them, and *then* some more words, so that this is a paragraph.

- one point of ${index}
- another one, with [a link](https://example.com/${index})

| name | value |
| --- | ---: |
| row ${index} | ${index * 7} |

\`\`\`python
def find_${index}(values, wanted):
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
    return low + ${index}
\`\`\`

`;
const codeLine = (index) => `const value${index} = compute(${index}, "text ${index}"); // line ${index}\n`;

/** Tokens of about four characters. */
function tokensOf(question) {
  const part = question.includes('code') ? codeLine : section;
  let text = part === codeLine ? '```js\n' : '';
  for (let index = 1; text.length < answerTokens * 4; index++) text += part(index);
  return text.match(/.{1,4}/gs).slice(0, answerTokens);
}

async function newPage(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, locale: 'en-US' });
  const page = await context.newPage();
  page.setDefaultTimeout(deadline);
  await page.addInitScript(noteTimes);
  await page.goto(url);
  await page.locator('[data-phase=ready]').waitFor();
  return { context, page };
}

/** Runs before the page: when the list was asked for and shown, and what took long. */
function noteTimes() {
  const open = IDBFactory.prototype.open;
  IDBFactory.prototype.open = function (...given) {
    globalThis.askedDatabase ??= performance.now();
    return open.apply(this, given);
  };
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration));
  }).observe({ entryTypes: ['longtask'] });
  /** Resolves with the time at which this holds, laid out. */
  globalThis.when = (holds) =>
    new Promise((found) => {
      const look = () => {
        if (!holds()) return false;
        document.body.getBoundingClientRect();
        watcher.disconnect();
        found(performance.now());
        return true;
      };
      const watcher = new MutationObserver(look);
      if (!look()) watcher.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    });
  /** Whether rows fill the list to its lower edge: those below it are made when one comes near them. */
  globalThis.isFilled = (rows) => {
    const last = [...document.querySelectorAll(rows)].at(-1)?.getBoundingClientRect();
    return last !== undefined && last.bottom >= document.querySelector('.chat-list').getBoundingClientRect().bottom;
  };
}

async function metrics(session) {
  const { metrics: told } = await session.send('Performance.getMetrics');
  return Object.fromEntries(told.map(({ name, value }) => [name, value * 1000]));
}

async function measureAnswer(browser, url, question, what) {
  const { context, page } = await newPage(browser, url);
  const session = await context.newCDPSession(page);
  // Of the thread, by its own clock: what else the machine does is not in it.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.evaluate(() => (globalThis.longTasks.length = 0));
  const before = await metrics(session);
  const field = page.getByRole('textbox', { name: 'Message', exact: true });
  await field.fill(question);
  await field.press('Enter');
  await page.locator('.answer-footer[data-last=true] .figures').waitFor();
  const after = await metrics(session);
  const per = (name) => (after[name] - before[name]) / answerTokens;
  const longest = Math.max(0, ...(await page.evaluate(() => globalThis.longTasks)));
  const parts = { 'all tasks': 'TaskDuration', style: 'RecalcStyleDuration', layout: 'LayoutDuration' };
  const rest = Object.entries(parts).map(([name, metric]) => `${name} ${per(metric).toFixed(3)} ms`);
  row(`${what}: script per token`, per('ScriptDuration'), budgets.scriptPerToken, 'ms', rest.join(', '));
  const shown = longest === 0 ? `under ${leastTold}` : undefined;
  row(`${what}: longest task`, longest, budgets.longestTask, 'ms', '', shown);
  await context.close();
}

function madeChats() {
  const begin = Date.now() - chatCount * 60_000;
  const chats = Array.from({ length: chatCount }, (_, chat) => {
    const entries = [{ entry_id: `t${chat}`, time: begin, type: 'title', title: `Chat ${chat} of many` }];
    for (let index = 0; index < 2 * turns; index++) {
      const isQuestion = index % 2 === 0;
      const name = `chat${chat} turn${index}`;
      const content = isQuestion ? `What about ${name}?` : `About ${name}, ordinary:\n\n${section(index)}`;
      entries.push({
        entry_id: `m${chat}-${index}`,
        time: begin + chat * 60_000 + index,
        type: 'message',
        parent: index === 0 ? null : `m${chat}-${index - 1}`,
        message: { role: isQuestion ? 'user' : 'assistant', content },
      });
    }
    return { chat_id: `bench-chat-${chat}`, entries };
  });
  return JSON.stringify({ format: 'serve-model.chats', version: 1, chats });
}

/** As a person would bring them: by the page's own import. */
async function takeChats(page) {
  await page.locator('.where').click();
  const file = { name: 'chats.json', mimeType: 'application/json', buffer: Buffer.from(madeChats()) };
  await page.getByLabel('Files with chats').setInputFiles(file);
  await page.locator('.keeping-told', { hasText: String(chatCount) }).waitFor();
}

/** From the first request for the list to its rows. */
async function timeList(page, url) {
  await page.goto('about:blank');
  await page.goto(url);
  return page.evaluate(async () => {
    const shown = await globalThis.when(() => globalThis.isFilled('.chat-row'));
    const asked = performance.getEntriesByType('resource').find(({ name }) => name.includes('/api/chats?'));
    return shown - (asked?.startTime ?? globalThis.askedDatabase);
  });
}

function timeSearch(page, words, count) {
  return page.evaluate(
    async ([text, expected]) => {
      const field = document.querySelector('.search-field input');
      // Somebody who writes there has put the cursor there before.
      field.focus();
      await new Promise((resolve) => requestIdleCallback(resolve));
      await new Promise((resolve) => setTimeout(resolve, 300));
      const type = async (value, holds) => {
        const began = performance.now();
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, value);
        field.dispatchEvent(new Event('input', { bubbles: true }));
        return (await globalThis.when(holds)) - began;
      };
      const rows = '.chat-list > ul > .chat-row';
      const found = () => (expected === 1 ? document.querySelectorAll(rows).length === 1 : globalThis.isFilled(rows));
      const took = await type(text, found);
      await type('', () => document.querySelector('.chat-list > ul') === null);
      return took;
    },
    [words, count],
  );
}

function timeOpen(page, chat) {
  return page.evaluate(
    async ([id, name, count]) => {
      const began = performance.now();
      document.querySelector(`.chat-row a[href$="${id}"]`).click();
      const isShown = () =>
        document.querySelectorAll('.turn').length === count &&
        [...document.querySelectorAll('.user-turn')].at(-1).textContent.includes(name);
      return (await globalThis.when(isShown)) - began;
    },
    [`bench-chat-${chat}`, `chat${chat} turn`, 2 * turns],
  );
}

async function repeat(what, budget, measure) {
  const times = [];
  for (let round = 0; round < rounds; round++) times.push(await measure(round));
  const more = `first ${times[0].toFixed(0)} ms, longest ${Math.max(...times).toFixed(0)} ms`;
  row(what, median(times), budget, 'ms', more);
}

async function measureChats(browser, url, where, restarted) {
  const { context, page } = await newPage(browser, url);
  await takeChats(page);
  const address = (await restarted?.()) ?? url;
  await repeat(`${where}: list`, budgets.list, () => timeList(page, address));
  await repeat(`${where}: search, all found`, budgets.search, () => timeSearch(page, 'ordinary', chatCount));
  await repeat(`${where}: search, one found`, budgets.search, (round) =>
    timeSearch(page, `chat${50 + round} turn77`, 1),
  );
  await repeat(`${where}: open`, budgets.open, (round) => timeOpen(page, chatCount - 1 - round));
  await context.close();
}

const folder = mkdtempSync(join(tmpdir(), 'bench-ui-'));
const browser = await openBrowser();
const version = browser.version();
const open = [browser];
async function opened(what) {
  const thing = await what;
  open.push(thing);
  return thing;
}
try {
  const { url } = await opened(servePage(['--chat-store', 'off']));
  if (only !== 'chats') {
    const answers = await opened(streamAnswers(url, { rate, tokensOf }));
    await measureAnswer(browser, answers.url, 'Tell me of everything.', 'mixed answer');
    await measureAnswer(browser, answers.url, 'Only code, please.', 'one block of code');
  }
  if (only !== 'answers') {
    await measureChats(browser, url, 'in the browser');
    const first = await servePage(['--chat-store', folder]);
    // A start of the server forgets what it knows of the chats: the first list reads them anew.
    await measureChats(browser, first.url, 'on the server', async () => {
      await first.close();
      return (await opened(servePage(['--chat-store', folder]))).url;
    });
  }
} finally {
  for (const each of open.reverse()) await each.close();
  rmSync(folder, { recursive: true, force: true });
}
const machine = `${cpus()[0].model}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}`;
console.log(`${machine}, Chromium ${version}, ${new Date().toISOString().slice(0, 10)}`);
console.table(rows);
process.exitCode = rows.every(({ kept }) => kept === 'yes') ? 0 : 1;
