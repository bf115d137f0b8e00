import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flagSpelling, flags } from '../../src/config/flags.ts';
import { type Config, type FlagName, parseConfig, speculationWish } from '../../src/config.ts';
import { listenSettings } from '../../src/main/listen-settings.ts';
import { mediaCacheBytes } from '../../src/main/media.ts';
import {
  asksForTools,
  doorSettings,
  generationSettings,
  logSettings,
  mediaLimits,
  metricsSettings,
  modelsSettings,
  queueSettings,
} from '../../src/main/room-settings.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { readFirstModel } from '../../src/models/read-wish.ts';
import { locateStartModels } from '../../src/models/start-models.ts';
import { root } from '../support/documents.ts';
import { type FlagEffect, flagEffects, placeholders } from '../support/flag-effects.ts';

const rows = Object.entries(flagEffects) as [FlagName, FlagEffect][];
const seen = (where: 'rooms' | 'start') =>
  rows.flatMap(([name, effect]) => ('seen' in effect && effect.seen === where ? [[name, effect.argv] as const] : []));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-flags-'));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  await write(placeholders.jinja, '{{ messages }}');
  await write(placeholders.names, '{"coder": {"model": "hf:a/b"}}');
  await write(placeholders.pem, '-----BEGIN CERTIFICATE-----');
});
afterAll(() => rm(folder, { recursive: true }));

/** As the command line gives it. */
function configOf(argv: readonly string[]): Config {
  const own: Record<string, string> = {
    [placeholders.model]: bundledModelPath,
    [placeholders.projector]: bundledModelPath.replace('.gguf', '-mmproj.gguf'),
  };
  const files: readonly string[] = [placeholders.jinja, placeholders.names, placeholders.pem];
  const words = argv.map((word) => own[word] ?? (files.includes(word) ? join(folder, word) : word));
  const parsed = parseConfig(['--models-dir', 'models-of-nobody', ...words], {});
  if (parsed.command !== 'serve') throw new Error(parsed.command);
  return parsed.config;
}

/** What the builder hands to the rooms. */
function rooms(argv: readonly string[]) {
  const config = configOf(argv);
  const { wishOf, ...models } = modelsSettings(config);
  return JSON.stringify({
    models,
    wish: wishOf({}),
    speculation: speculationWish(config),
    door: doorSettings(config),
    generation: generationSettings(config),
    queue: queueSettings(config, 4),
    log: logSettings(config),
    metrics: metricsSettings(config),
    listen: listenSettings(config),
    media: { limits: mediaLimits(config), cacheBytes: mediaCacheBytes(config) },
    tools: asksForTools(config),
  });
}

/** What is found and read before there is a port. */
async function start(argv: readonly string[]) {
  const config = configOf(argv);
  const models = await locateStartModels(config);
  const { first, projector } = models;
  if (first.type !== 'local') throw new Error('It is on this machine.');
  const { tensors: _, ...file } = await readFirstModel(
    first.path,
    config,
    projector?.type === 'local' ? projector.path : undefined,
  );
  return JSON.stringify({ models, file });
}

describe('every flag', () => {
  it('has a place where its effect is seen, and no other has', () => {
    expect(Object.keys(flagEffects).sort()).toEqual(Object.keys(flags).sort());
  });

  it('needs another machine than a plain one to show more only where it is about the engine', () => {
    const elsewhere = rows.filter(([, effect]) => 'machine' in effect).map(([name]) => flags[name].group);
    expect(new Set(elsewhere)).toEqual(new Set(['Engine']));
  });

  it.each(seen('rooms'))('%s reaches the rooms', (_, argv) => {
    expect(rooms(argv)).not.toBe(rooms([]));
  });

  it.each(seen('start'))('%s changes what is found or read at the start', async (name, argv) => {
    // Of a file of its own what is read is the same as of the one that is always there: that it is named shows.
    const besides = name === 'model' ? ['--model', placeholders.model, ...argv] : argv;
    expect(await start(besides)).not.toBe(await start([]));
  });

  it.each(rows.flatMap(([name, effect]) => ('test' in effect ? [[name, effect.test] as const] : [])))(
    '%s is given in %s',
    (name, path) => {
      expect(existsSync(join(root, path))).toBe(true);
      const text = readFileSync(join(root, path), 'utf8');
      const spelling = `--${flagSpelling(name)}`;
      const given = [spelling, `--no-${flagSpelling(name)}`, ...(flags[name].kind.shape === 'switch' ? [] : [])];
      expect(
        given.some((word) => new RegExp(`${word}(?![\\w-])`).test(text)),
        `${spelling} in ${path}`,
      ).toBe(true);
    },
  );

  it('that means nothing to the rooms changes nothing of what they are built with', () => {
    expect(rooms(['--yes'])).toBe(rooms([]));
  });
});
