// Pictures of the chat page: the built page over a server of this package, with answers that are made up (the demo model
// has little to say). npm run ui-pictures writes the two that the README shows; with -- FOLDER also every state, light and
// dark, wide and on a telephone, for whoever changes the page to look at.
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openBrowser, servePage } from './served-page.mjs';

const [folder] = process.argv.slice(2);
const ownFolder = resolve(import.meta.dirname, '../src/ui/pictures');
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

const chunk = (delta, finish = null, rest = {}) => ({
  id: 'chatcmpl-1',
  model: 'serve-model-demo',
  choices: [{ index: 0, delta, finish_reason: finish, ...(finish && { seed: 7 }) }],
  ...rest,
});
const last = {
  id: 'chatcmpl-1',
  choices: [],
  usage: {
    prompt_tokens: 1292,
    completion_tokens: 290,
    prompt_tokens_details: { cached_tokens: 1204 },
    completion_tokens_details: { reasoning_tokens: 24 },
  },
  timings: { queue_ms: 0, prompt_ms: 94, prompt_per_second: 3120, predicted_ms: 7020, predicted_per_second: 41.3 },
};
const call = { index: 0, id: 'call_1', function: { name: 'get_weather', arguments: '{"city":"Paris","days":3}' } };

/** The page's own requests for answers come to `say` and `fail` of this; everything else reaches the server. */
function playAnswers() {
  const real = globalThis.fetch;
  let controller;
  const events = new TextEncoder();
  globalThis.say = (...chunks) => {
    for (const each of chunks)
      controller.enqueue(events.encode(`data: ${each === 'end' ? '[DONE]' : JSON.stringify(each)}\n\n`));
  };
  globalThis.fetch = (url, init) => {
    if (!String(url).endsWith('/v1/chat/completions')) return real(url, init);
    if (globalThis.answerWith) {
      const { status, body, headers } = globalThis.answerWith;
      return Promise.resolve(Response.json(body, { status, headers }));
    }
    const stream = new ReadableStream({ start: (given) => (controller = given) });
    return Promise.resolve(new Response(stream, { headers: { 'content-type': 'text/event-stream' } }));
  };
}

const say = (page, ...chunks) => page.evaluate((given) => globalThis.say(...given), chunks);
const field = (page) => page.getByRole('textbox', { name: 'Message', exact: true });
const refuse = (page, status, error, headers = {}) =>
  page.evaluate((answer) => (globalThis.answerWith = answer), {
    status,
    body: { error },
    headers: { 'x-request-id': 'req_5b1f0c2a', ...headers },
  });

async function ask(page, question = 'Compare binary search with a B-tree.') {
  await field(page).fill(question);
  await field(page).press('Enter');
  await page.locator('.answer').last().waitFor();
}

async function think(page) {
  await say(page, chunk({ reasoning_content: thought }));
  await page.waitForTimeout(2600);
}

async function whole(page) {
  await ask(page);
  await think(page);
  await say(page, chunk({ content: text }), chunk({}, 'stop'), last, 'end');
  await page.locator('.answer-footer[data-last=true] .figures').last().waitFor();
  await field(page).fill('And which one does SQLite use?');
  // A telephone has no room for it.
  await page.locator('.context-total').waitFor({ state: 'attached' });
}

const models = {
  models: ['Qwen3-4B-Q4_K_M', 'gemma-3-12b-it-Q4_K_M'].map((id, index) => ({
    id,
    path: `/models/${id}.gguf`,
    size_bytes: [2.5e9, 7.3e9][index],
    quantization: 'Q4_K_M',
    family: ['qwen3', 'gemma3'][index],
    context_length: [40_960, 131_072][index],
    loaded: false,
    source: 'folder',
  })),
};

/** Each brings a page into a state; what it needs of the server otherwise than it is stands before the page opens. */
const states = {
  empty: {},
  loading: {
    health: { status: 503, json: { status: 'loading model' } },
    progress: { phase: 'load', fraction: 0.34, bytes_loaded: 850e6, bytes_total: 2.5e9, eta_seconds: 6 },
    play: (page) => ask(page),
  },
  queued: {
    play: async (page) => {
      await ask(page);
      await say(page, { ...chunk({}), queue: { position: 2, eta_ms: 8000 } });
    },
  },
  reading: {
    play: async (page) => {
      await ask(page);
      const progress = { total: 3647, cache: 400, processed: 1580, time_ms: 2400 };
      await say(page, { ...chunk({}), prompt_progress: progress });
    },
  },
  thinking: {
    play: async (page) => {
      await ask(page);
      await think(page);
    },
  },
  writing: {
    play: async (page) => {
      await ask(page);
      await think(page);
      await say(page, chunk({ content: text.slice(0, 620) }));
    },
  },
  whole: { price: { input_tokens: 1292, cached_tokens: 1204, first_token_ms: 400 }, play: whole },
  call: {
    play: async (page) => {
      await ask(page);
      await say(page, chunk({ tool_calls: [call] }), chunk({}, 'tool_calls'), last, 'end');
    },
  },
  cut: {
    play: async (page) => {
      await ask(page);
      await say(page, chunk({ content: text.slice(0, 240) }), chunk({}, 'length'), last, 'end');
    },
  },
  error: {
    play: async (page) => {
      await refuse(page, 500, { message: 'The engine failed while it read the prompt.', code: 'engine_failure' });
      await ask(page);
      await page.locator('.failure-note').waitFor();
    },
  },
  full: {
    play: async (page) => {
      const message = 'The prompt has 4096 tokens, but the context has room for 2048.';
      await refuse(page, 400, { message, code: 'context_length_exceeded' });
      await ask(page);
      await page.locator('.context-full').waitFor();
    },
  },
  busy: {
    play: async (page) => {
      await refuse(page, 429, { message: 'The queue is full.', code: 'overloaded' }, { 'retry-after': '12' });
      await ask(page);
      await page.locator('.run-status[data-kind=later]').waitFor();
    },
  },
  drawer: {
    play: async (page) => {
      await whole(page);
      await openDrawer(page);
    },
  },
  models: {
    models,
    play: async (page) => {
      await page.getByRole('button', { name: /^Models/ }).click();
      await page.locator('.model-row', { hasText: 'gemma' }).waitFor();
    },
  },
  keeping: {
    play: async (page) => {
      await page.keyboard.press('Control+b');
      if ((await page.locator('.sidebar').count()) === 0) await page.keyboard.press('Control+b');
      await page.locator('.where').click();
      await page.locator('.keeping-dialog').waitFor();
    },
  },
};

async function openDrawer(page) {
  await page.keyboard.press('Control+.');
  await page.locator('.drawer summary', { hasText: 'Form' }).click();
}

const sizes = {
  wide: { viewport: { width: 1280, height: 860 } },
  phone: { viewport: { width: 375, height: 760 }, hasTouch: true },
};

async function picture(browser, url, { state, size, scheme, file }) {
  const { health, progress, price, models: local, play } = states[state];
  const context = await browser.newContext({ locale: 'en-US', colorScheme: scheme, ...sizes[size] });
  const page = await context.newPage();
  const answer = (path, given) => page.route(path, (route) => route.fulfill(given));
  if (health) await answer('**/health', health);
  if (progress) await answer('**/api/inference/load-progress', { json: progress });
  if (price) await answer('**/input_tokens', { json: price });
  if (local) await answer('**/api/inference/models', { json: local });
  await page.addInitScript(playAnswers);
  await page.goto(url);
  await page.locator(`[data-phase=${health ? 'loading' : 'ready'}]`).waitFor();
  if (file.startsWith(ownFolder)) await earlier(page, url);
  await play?.(page);
  await page.mouse.move(0, 0);
  await page.waitForTimeout(400);
  const session = await context.newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
  writeFileSync(file, Buffer.from(data, 'base64'));
  await context.close();
}

/** A chat from before, so that the list is not empty. */
async function earlier(page, url) {
  await ask(page, 'How do B-trees keep a database quick?');
  await say(page, chunk({ content: 'By few reads.' }), chunk({}, 'stop'), last, 'end');
  await page.locator('.answer-footer[data-last=true] .figures').waitFor();
  await page.goto(`${url}/#/`);
}

const server = await servePage(['--chat-store', 'off']);
const browser = await openBrowser();
try {
  const { url } = server;
  mkdirSync(ownFolder, { recursive: true });
  const shown = [
    { state: 'whole', size: 'wide', scheme: 'light', file: resolve(ownFolder, 'chat-light.webp') },
    { state: 'whole', size: 'phone', scheme: 'dark', file: resolve(ownFolder, 'phone.webp') },
  ];
  if (folder) {
    mkdirSync(folder, { recursive: true });
    for (const state of Object.keys(states))
      for (const size of Object.keys(sizes))
        for (const scheme of ['light', 'dark'])
          shown.push({ state, size, scheme, file: resolve(folder, `${state}-${size}-${scheme}.webp`) });
  }
  for (const each of shown) await picture(browser, url, each);
} finally {
  await browser.close();
  await server.close();
}
