import { afterEach, beforeEach, expect, it } from 'vitest';
import type {
  ControlEvent,
  LoadProgress,
  LoadRequest,
  LocalModelInfo,
  ModelControl,
} from '../../../src/contract/control.ts';
import { ServeError } from '../../../src/contract/errors.ts';
import type { HubCatalog } from '../../../src/contract/hub.ts';
import { profile } from '../../http/support.ts';
import { emptyControl } from '../../support/route-rows.ts';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, field, openTalk, send, type Talk } from './talk.ts';

describeInBrowser('the models', () => {
  closeBrowserAfterwards();
  let shop: Shop;
  let talk: Talk;
  let seen: Visit;
  const open = async () => {
    seen = await visit(talk.url);
    await seen.page.locator('[data-phase=ready]').waitFor();
    await seen.page.getByRole('button', { name: /^Models/ }).click();
    await seen.page.getByRole('dialog', { name: 'Models' }).waitFor();
    return seen.page;
  };
  beforeEach(async () => {
    shop = openShop();
    talk = await openTalk({ more: { control: shop.control, hub } });
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  it('lists what is loaded and what is on the machine, with sizes', async () => {
    const page = await open();
    await page.getByText('2,048 tokens of context · 4 slots · about 1.5 GB · CPU').waitFor();
    const row = page.locator('.model-row', { hasText: 'small' });
    expect(await row.textContent()).toContain('Q4_K_M · 2.1 GB · trained for 32k tokens');
    expect(await page.locator('.model-row', { hasText: 'gift' }).textContent()).toContain('comes with the server');
  });

  it('loads one, shows how far it is, and talks to it then', async () => {
    const page = await open();
    await page.getByText('How models are loaded').click();
    await page.getByLabel('Context, in tokens').fill('8192');
    await page.getByLabel('Memory of the context').selectOption('q8_0');
    await page.getByRole('button', { name: 'Load small' }).click();
    const load = await shop.asked();
    expect(load.request).toMatchObject({
      target: '/models/small.gguf',
      settings: { contextSize: 8192, cacheType: 'q8_0' },
    });
    shop.progress({ phase: 'load', fraction: 0.34, bytesLoaded: 340, bytesTotal: 1000, etaSeconds: 6 });
    await page.locator('.load-under-way', { hasText: /loading 34%/ }).waitFor();
    load.finish();
    await page.locator('.load-under-way').waitFor({ state: 'detached' });
    await page.locator('.model-row', { hasText: 'answers' }).getByText('small').waitFor();
    await page.keyboard.press('Escape');
    await send(page, 'Hello');
    const run = await talk.run();
    expect(run.request).toMatchObject({ model: 'small' });
    answers(run, 'Hello from the other one.');
    await page.getByText('Hello from the other one.').waitFor();
  });

  it('gives up a load, and leaves the other model answering', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Load small' }).click();
    const load = await shop.asked();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('.load-under-way').waitFor({ state: 'detached' });
    await expect.poll(() => load.signal.aborted).toBe(true);
    await page.keyboard.press('Escape');
    await field(page).fill('Still there?');
    await field(page).press('Enter');
    answers(await talk.run(), 'Yes.');
    await page.getByText('Yes.').waitFor();
  });

  it('says why a load failed', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Load small' }).click();
    (await shop.asked()).fail(new ServeError('invalid_request', 'It needs 9 GB, but 4 GB are free.'));
    await page.getByText('It needs 9 GB, but 4 GB are free.').waitFor();
    await page.getByRole('button', { name: 'Load small' }).waitFor();
  });

  it('unloads one, which another tab sees within a second', async () => {
    const page = await open();
    const other = await page.context().newPage();
    await other.goto(talk.url);
    await other.locator('[data-phase=ready]').waitFor();
    await page.getByRole('button', { name: 'Unload demo' }).click();
    await other.locator('[data-phase=empty]').waitFor();
    await page.getByText('No model is loaded.').first().waitFor();
    await other.getByRole('button', { name: 'Choose a model' }).click();
    await other.getByRole('dialog', { name: 'Models' }).waitFor();
    expect(shop.unloaded).toEqual(['demo']);
  });

  it('deletes a file after asking, and only one of the models folder', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Load small' }).waitFor();
    expect(await page.getByRole('button', { name: /^Delete/ }).count()).toBe(1);
    await page.getByRole('button', { name: 'Delete small' }).click();
    await page.getByRole('button', { name: 'Delete the file' }).click();
    await page.getByRole('button', { name: 'Load small' }).waitFor({ state: 'detached' });
    expect(shop.removed).toEqual(['small']);
  });

  it('finds models on the hub, with their sizes and what fits', async () => {
    const page = await open();
    await page.getByRole('searchbox', { name: 'Search models on the hub' }).fill('qwen');
    await page.keyboard.press('Enter');
    await page.getByText('team/qwen-GGUF').click();
    const rows = page.locator('.hub-hit .model-row');
    await rows.first().waitFor();
    expect(await rows.allTextContents()).toEqual([
      'Q4_K_Mbest for this machine4.2 GB · fits the GPU: 7.1 GB of 12.0 GBDownload and load',
      'Q8_0on this machine8.0 GB · fits: 11.0 GB of 32.0 GBLoad',
      'F1616.0 GB · too large: needs 60.0 GB, there are 32.0 GBDownload and load',
    ]);
    expect(await page.getByRole('button', { name: 'Download and load F16' }).isDisabled()).toBe(true);
    await isAccessible(page, 'models');
    await page.getByRole('button', { name: 'Download and load Q4_K_M' }).click();
    expect((await shop.asked()).request.target).toBe('team/qwen-GGUF:Q4_K_M');
    shop.progress({ phase: 'download', fraction: 0.25, bytesLoaded: 1e9, bytesTotal: 4e9, etaSeconds: 90 });
    await page.locator('.load-under-way', { hasText: 'downloading 1.0 GB / 4.0 GB' }).waitFor();
    await isAccessible(page, 'downloading');
  });

  it('says why it cannot change them to whoever may not', async () => {
    await talk.close();
    talk = await openTalk({
      settings: {
        apiKeys: [
          { key: 'a', name: 'ann' },
          { key: 'b', name: 'bob', admin: true },
        ],
      },
      more: { control: shop.control, hub },
    });
    seen = await visit(talk.url);
    await seen.page.getByLabel('Key', { exact: true }).fill('a');
    await seen.page.getByRole('button', { name: 'Continue' }).click();
    await seen.page.locator('[data-phase=ready]').waitFor();
    await seen.page.getByRole('button', { name: /^Models/ }).click();
    await seen.page.getByText('Models are changed by whoever runs this server').waitFor();
    expect(await seen.page.getByRole('button', { name: /^(Load|Unload|Delete)/ }).count()).toBe(0);
  });

  /** Models that come when the test says so. */
  function openShop(): Shop {
    const listeners = new Set<(event: ControlEvent) => void>();
    const tell = (event: ControlEvent) => {
      for (const listener of listeners) listener(event);
    };
    const loaded = new Map([['demo', profile]]);
    let files: LocalModelInfo[] = [local('demo'), local('small'), { ...local('gift'), source: 'bundled' }];
    let now: LoadProgress | undefined;
    const loads: Load[] = [];
    const [unloaded, removed]: [string[], string[]] = [[], []];
    const control: ModelControl = {
      ...emptyControl,
      load: (request, signal) =>
        new Promise((resolve, reject) => {
          const end = () => {
            now = undefined;
          };
          signal.addEventListener('abort', () => {
            end();
            reject(signal.reason);
          });
          tell({ type: 'model', model: 'small', state: 'loading' });
          loads.push({
            request,
            signal,
            finish: () => {
              end();
              loaded.set('small', { ...profile, id: 'small' });
              tell({ type: 'model', model: 'small', state: 'ready' });
              resolve({ already: false, model: status('small') });
            },
            fail: (error) => {
              end();
              reject(error);
            },
          });
        }),
      unload: async (target) => {
        unloaded.push(target);
        loaded.delete(target);
        if (loaded.size === 0) talk.door.models.current = 'empty';
        tell({ type: 'model', model: target, state: 'unloaded' });
        return target;
      },
      remove: async (id) => {
        removed.push(id);
        files = files.filter((file) => file.id !== id);
      },
      status: () => ({
        active: [...loaded.keys()][0],
        loading: now ? [now.model] : [],
        models: [...loaded.keys()].map(status),
      }),
      progress: () => now,
      localModels: async () => files.map((file) => ({ ...file, loaded: loaded.has(file.id) })),
      async *events(signal) {
        const waiting: ControlEvent[] = [];
        let wake: () => void = () => undefined;
        const hear = (event: ControlEvent) => {
          waiting.push(event);
          wake();
        };
        listeners.add(hear);
        signal.addEventListener('abort', () => wake());
        try {
          while (!signal.aborted) {
            yield* waiting.splice(0);
            await new Promise<void>((resolve) => {
              wake = resolve;
              if (waiting.length > 0 || signal.aborted) resolve();
            });
          }
        } finally {
          listeners.delete(hear);
        }
      },
    };
    return {
      control,
      unloaded,
      removed,
      asked: async () => {
        await expect.poll(() => loads.length).toBeGreaterThan(0);
        const load = loads.at(-1);
        if (!load) throw new Error('there is none');
        return load;
      },
      progress: (step) => {
        now = { model: 'small', ...step };
        tell({ type: 'progress', ...now });
      },
    };
  }
});

interface Load {
  readonly request: LoadRequest;
  readonly signal: AbortSignal;
  finish(): void;
  fail(error: ServeError): void;
}

interface Shop {
  readonly control: ModelControl;
  readonly unloaded: readonly string[];
  readonly removed: readonly string[];
  asked(): Promise<Load>;
  progress(step: Omit<LoadProgress, 'model'>): void;
}

const features = {
  supportsTools: false,
  supportsReasoning: false,
  reasoningStyle: undefined,
  reasoningAlwaysOn: false,
  supportsPreserveThinking: false,
};

function status(id: string) {
  return {
    profile: { ...profile, id },
    features,
    settings: {},
    device: 'CPU',
    memoryBytes: 1.5e9,
    maxContextSize: 4096,
  };
}

function local(id: string): LocalModelInfo {
  return {
    id,
    path: `/models/${id}.gguf`,
    sizeBytes: 2.1e9,
    quantization: 'Q4_K_M',
    architecture: 'llama',
    trainedContextSize: 32_768,
    loaded: false,
    source: 'folder',
  };
}

const hub: HubCatalog = {
  search: async (words) => [
    { owner: 'team', repo: `${words}-GGUF`, downloads: 12_345, likes: 67, updated: undefined, isGated: false },
  ],
  models: async (owner, repo) => {
    const one = (name: string, size: number, required: number, fits: 'gpu' | 'ram' | 'no') => ({
      quantization: name,
      target: `${owner}/${repo}:${name}`,
      files: 1,
      sizeBytes: size,
      requiredBytes: required,
      fits,
      isBest: fits === 'gpu',
      isLocal: fits === 'ram',
    });
    return {
      quantizations: [one('Q4_K_M', 4.2e9, 7.1e9, 'gpu'), one('Q8_0', 8e9, 11e9, 'ram'), one('F16', 16e9, 60e9, 'no')],
      memory: { ram: 32e9, vram: 12e9 },
    };
  },
};
