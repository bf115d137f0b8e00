import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PullOptions } from '../../src/cli/pull.ts';
import { type Config, parseConfig } from '../../src/config.ts';
import type { FileProfile } from '../../src/models/profile.ts';
import { explainChatFormat } from '../../src/templates/chat-format.ts';
import { ggufBytes, numberEntry, stringEntry, tensor } from '../models/gguf-bytes.ts';
import { type HubFixture, startHub } from '../models/hub-fixture.ts';

/** A models folder and a hub with three quantizations of `owner/repo`, for the commands that handle models. */
export class LibraryPlace {
  readonly folder: string;
  readonly hub: HubFixture;

  private constructor(folder: string, hub: HubFixture) {
    this.folder = folder;
    this.hub = hub;
  }

  static async open(): Promise<LibraryPlace> {
    const folder = await mkdtemp(join(tmpdir(), 'serve-model-commands-'));
    const files = { 'm-Q4_0.gguf': smallModel(100), 'm-Q8_0.gguf': smallModel(200), 'm-F16.gguf': smallModel(400) };
    return new LibraryPlace(folder, await startHub(files));
  }

  async close(): Promise<void> {
    await this.hub.close();
    await rm(this.folder, { recursive: true, maxRetries: 3 });
  }

  config(flags: readonly string[] = []): Config {
    const parsed = parseConfig(['list', '--models-dir', this.folder, '--hf-endpoint', this.hub.endpoint, ...flags], {});
    if (!('config' in parsed)) throw new Error('no config');
    return parsed.config;
  }

  options(terminal: PullOptions['terminal'], ram = 8 * gigabyte, flags: readonly string[] = []) {
    const signal = new AbortController().signal;
    return {
      config: this.config(flags),
      terminal,
      signal,
      memory: async () => ({ ram, vram: 0 }),
      explain,
      place: noGpu,
      asLoaded: (file: FileProfile) => file,
    };
  }

  /** A model of the folder. */
  async local(id: string): Promise<void> {
    const path = join(this.folder, `${id}.gguf`);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, smallModel(10));
  }
}

export const gigabyte = 1e9;
const noGpu = () => undefined;
const explain = async (file: FileProfile) => explainChatFormat(file, () => new Date(0));

export function smallModel(values: number): Uint8Array {
  return ggufBytes({
    entries: [
      stringEntry('general.architecture', 'llama'),
      numberEntry('llama.block_count', 10),
      numberEntry('llama.embedding_length', 1000),
      numberEntry('general.file_type', 7),
    ],
    tensors: [tensor('w', [BigInt(values)], 0, 0n)],
    weights: values * 4,
  });
}
