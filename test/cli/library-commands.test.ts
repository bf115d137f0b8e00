import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectModel, listModels, removeModel } from '../../src/cli/library-commands.ts';
import { obtainModel, type PullOptions } from '../../src/cli/pull.ts';
import { type Config, parseConfig } from '../../src/config.ts';
import { explainChatFormat } from '../../src/main/chat-format.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { localModels } from '../../src/models/library.ts';
import type { FileProfile } from '../../src/models/profile.ts';
import { ggufBytes, numberEntry, stringEntry, tensor } from '../models/gguf-bytes.ts';
import { type HubFixture, startHub } from '../models/hub-fixture.ts';
import { writeTinyBert } from '../support/tiny-bert.ts';
import { recordTerminal } from './terminal-recorder.ts';

let folder = '';
let hub: HubFixture;
const model = (values: number) =>
  ggufBytes({
    entries: [
      stringEntry('general.architecture', 'llama'),
      numberEntry('llama.block_count', 10),
      numberEntry('llama.embedding_length', 1000),
      numberEntry('general.file_type', 7),
    ],
    tensors: [tensor('w', [BigInt(values)], 0, 0n)],
    weights: values * 4,
  });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-commands-'));
  hub = await startHub({ 'm-Q4_0.gguf': model(100), 'm-Q8_0.gguf': model(200), 'm-F16.gguf': model(400) });
});
afterEach(async () => {
  await hub.close();
  await rm(folder, { recursive: true, maxRetries: 3 });
});

function config(flags: readonly string[] = []): Config {
  const parsed = parseConfig(['list', '--models-dir', folder, '--hf-endpoint', hub.endpoint, ...flags], {});
  if (!('config' in parsed)) throw new Error('no config');
  return parsed.config;
}

const gigabyte = 1e9;
const explain = (file: FileProfile) => explainChatFormat(file, () => new Date(0));
function options(terminal: PullOptions['terminal'], ram = 8 * gigabyte, flags: readonly string[] = []) {
  const signal = new AbortController().signal;
  return { config: config(flags), terminal, signal, memory: async () => ({ ram, vram: 0 }), explain };
}

async function local(id: string): Promise<void> {
  const path = join(folder, `${id}.gguf`);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, model(10));
}

describe('obtainModel', () => {
  it('takes the bundled model, a path and a downloaded model as they are', async () => {
    await local('owner/repo/m-Q8_0');
    const path = join(folder, 'owner/repo/m-Q8_0.gguf');
    const { terminal, error } = recordTerminal();
    expect(await obtainModel(undefined, options(terminal))).toBe(bundledModelPath);
    for (const name of [path, 'm-Q8_0', 'repo/m-Q8_0', 'owner/repo/m-Q8_0', 'hf:owner/repo:q8_0', 'owner/repo']) {
      expect(await obtainModel(name, options(terminal))).toBe(path);
    }
    expect(error()).toBe('');
    expect(hub.requests).toEqual([]);
  });

  it('downloads the best quantization that fits, and says so', async () => {
    const { terminal, error } = recordTerminal();
    expect(await obtainModel('hf:owner/repo', options(terminal))).toBe(join(folder, 'owner/repo/m-Q8_0.gguf'));
    expect(error()).toContain(
      [
        // 4 slots of 4096 tokens.
        '1  Q4_0  624 bytes  takes 704 MB  fits',
        '2  Q8_0     1.0 kB  takes 704 MB  fits, best choice',
        '3  F16      1.8 kB  takes 704 MB  fits',
        'downloading hf:owner/repo, Q8_0, 1.0 kB',
      ].join('\n'),
    );
    expect(error()).toContain('Downloading 100 %');
  });

  it.each([
    ['2', 'm-Q8_0'],
    ['q4_0', 'm-Q4_0'],
    ['F16', 'm-F16'],
    ['', 'm-Q8_0'],
  ])('asks on a terminal and takes the answer %j', async (answer, file) => {
    const { terminal, error } = recordTerminal({ interactive: true, answers: [answer] });
    expect(await obtainModel('owner/repo', options(terminal))).toBe(join(folder, `owner/repo/${file}.gguf`));
    expect(error()).toContain('Which one? [Q8_0] ');
  });

  it('asks nothing with --yes and nothing when the name says which', async () => {
    const { terminal } = recordTerminal({ interactive: true });
    await obtainModel('owner/repo:Q4_0', options(terminal));
    await obtainModel('hf:owner/repo/m-F16.gguf', options(terminal));
    await rm(join(folder, 'owner'), { recursive: true });
    await obtainModel('owner/repo', options(terminal, 8 * gigabyte, ['--yes']));
  });

  it('refuses to choose when nothing fits, and a wrong answer', async () => {
    const { terminal } = recordTerminal();
    await expect(obtainModel('owner/repo', options(terminal, 1000))).rejects.toThrow(
      'No file of hf:owner/repo fits this machine: the smallest needs about 704 MB.',
    );
    const asked = recordTerminal({ interactive: true, answers: ['9', 'Q3_K'] });
    await expect(obtainModel('owner/repo', options(asked.terminal))).rejects.toThrow('holds no 9');
    await expect(obtainModel('owner/repo', options(asked.terminal))).rejects.toThrow('holds no Q3_K');
  });

  it('says what is wrong with a name that is nothing', async () => {
    const { terminal } = recordTerminal();
    await expect(obtainModel('nothing.gguf', options(terminal))).rejects.toThrow('There is no model nothing.gguf.');
  });
});

describe('listModels', () => {
  it('shows every model of the folder, sound or not', async () => {
    await local('owner/repo/m-Q8_0');
    await local('plain');
    await writeFile(join(folder, 'broken.gguf'), 'hello');
    const { terminal, out } = recordTerminal();
    await listModels(config(), terminal);
    const lines = out().split('\n');
    expect(lines[0]).toMatch(/^broken +.*This is no GGUF file/);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^owner\/repo\/m-Q8_0 +\d+ bytes {2}Q8_0 {2}llama +unknown$/),
      expect.stringMatching(/^plain +\d+ bytes {2}Q8_0 {2}llama +unknown$/),
      '',
    ]);
  });

  it('says how to get one when there is none', async () => {
    const { terminal, out } = recordTerminal();
    await listModels(config(['--models-dir', join(folder, 'none')]), terminal);
    expect(out()).toBe(
      `There are no models in ${join(folder, 'none')}. serve-model pull hf:owner/repo downloads one.\n`,
    );
  });
});

describe('localModels', () => {
  it('reads a header once, and again when the file has changed', async () => {
    await local('plain');
    const read = new Map();
    const [first] = await localModels(folder, read);
    const [again] = await localModels(folder, read);
    expect(again).toBe(first);
    await writeFile(join(folder, 'plain.gguf'), model(20));
    const [changed] = await localModels(folder, read);
    expect(changed?.profile?.sizeBytes).toBe(model(20).length);
    await rm(join(folder, 'plain.gguf'));
    expect(await localModels(folder, read)).toEqual([]);
  });
});

describe('removeModel', () => {
  it('deletes a model with all its parts and its empty folders', async () => {
    await local('owner/repo/big-00001-of-00002');
    await local('owner/repo/big-00002-of-00002');
    await local('owner/other/m');
    const { terminal, out } = recordTerminal();
    await removeModel('big', config(), terminal);
    expect(out()).toMatch(/^deleted owner\/repo\/big, \d+ bytes\n$/);
    await listModels(config(), terminal);
    expect(out()).not.toContain('big-');
    await expect(removeModel('big', config(), terminal)).rejects.toThrow(`There is no model big in ${folder}.`);
  });

  it('does not choose between two and leaves everything outside the folder alone', async () => {
    await local('a/m');
    await local('b/m');
    const { terminal } = recordTerminal();
    await expect(removeModel('m', config(), terminal)).rejects.toThrow('m may mean a/m, b/m. Give one of these names.');
    await expect(removeModel(bundledModelPath, config(), terminal)).rejects.toThrow('There is no model');
    await expect(removeModel('../m', config(), terminal)).rejects.toThrow('There is no model');
  });
});

describe('inspectModel', () => {
  it('tells what a model is and what it takes', async () => {
    const { terminal, out } = recordTerminal();
    await inspectModel(bundledModelPath, options(terminal, 8 * gigabyte, ['--ctx-size', '1000', '--parallel', '2']));
    expect(out().split('\n')).toEqual([
      'model          serve-model-demo',
      `file           ${bundledModelPath}`,
      'size           3.3 MB',
      'architecture   llama',
      'parameters     3.0M',
      'quantization   Q8_0',
      'context        trained for 4096 tokens',
      'chat template  yes',
      'chat format    hermes: its template writes <tool_call>',
      'reads          thoughts, tool calls',
      'memory         about 47.7 MB with 2 slots of 1000 tokens (f16):',
      '               3.3 MB weights, 9.2 MB context, 35.1 MB computing',
      '',
    ]);
  });

  it.each([
    [
      'a file without a template',
      [],
      ['none: give one with --chat-template-file for chat', 'plain: there is no template to tell it'],
    ],
    ['a family that is given', ['--chat-format', 'mistral'], ['none: give', 'mistral: given by --chat-format']],
  ])('tells the chat format of %s', async (_, flags, texts) => {
    await local('plain');
    const { terminal, out } = recordTerminal();
    await inspectModel('plain', options(terminal, 8 * gigabyte, flags));
    for (const text of texts) expect(out()).toContain(text);
  });

  it('tells the format of a template that it is given, and of one that only its turns tell', async () => {
    await local('plain');
    const template = join(folder, 'template.jinja');
    const show = async (text: string) => {
      await writeFile(template, text);
      const { terminal, out } = recordTerminal();
      await inspectModel('plain', options(terminal, 8 * gigabyte, ['--chat-template-file', template]));
      return out();
    };
    expect(await show('{{ "[TOOL_CALLS]" }}{{ "[ARGS]" }}')).toContain(
      'mistral: its template writes [TOOL_CALLS], [ARGS]',
    );
    expect(await show('{{ messages[0].content }}')).toContain('plain: its template has no marker of a known family');
    const own =
      '{% for m in messages %}{% if m.reasoning_content %}<ponder>{{ m.reasoning_content }}</ponder>{% endif %}{{ m.content }}{% endfor %}';
    expect(await show(own)).toContain('found in turns that its template renders');
  });

  it('says that a model is there for vectors', async () => {
    writeTinyBert(join(folder, 'bert.gguf'), { pooling: 'mean' });
    const { terminal, out } = recordTerminal();
    await inspectModel('bert', options(terminal));
    expect(out()).toContain('gives         embeddings or ranks: it cannot generate');
  });

  it('shows what the hub has and what it takes with the wanted context and slots', async () => {
    const { terminal, out } = recordTerminal();
    await inspectModel('hf:owner/repo', options(terminal, 8 * gigabyte, ['--ctx-size', '1000', '--parallel', '2']));
    expect(out()).toContain('takes 128 MB  fits, best choice');
  });

  it('weighs by size what the hub does not let it read, and says so', async () => {
    hub.trouble = { cuts: 9 };
    const { terminal, out, error } = recordTerminal();
    await inspectModel('hf:owner/repo', options(terminal));
    expect(error()).toContain('m-Q4_0.gguf is weighed by its size');
    expect(out()).toContain('takes 500 MB  fits, best choice');
  });
});
