import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeEngineContract } from '../engine-contract/suite.ts';
import { examples } from '../support/demo-examples.ts';
import { loadDemoModelInProcess } from '../support/process-engine.ts';
import { writeTinyModel } from '../support/tiny-models.ts';

describeEngineContract('llama in a process of its own with the demo model', async () => {
  const { engine } = await loadDemoModelInProcess({ slots: 3, contextSize: 512, batchSize: 64 });
  const shortest = [...examples].sort((one, other) => one.raw.length - other.raw.length)[0];
  return { engine, endingPrompt: await engine.text.tokenize([shortest?.prompt ?? ''], { special: true }) };
});

describeEngineContract(
  'llama in a process of its own with a tiny gemma3',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'serve-model-tiny-'));
    const path = join(folder, 'tiny.gguf');
    writeTinyModel(path, 'gemma3');
    const { engine } = await loadDemoModelInProcess({ path, slots: 3, contextSize: 512, batchSize: 64 });
    await rm(folder, { recursive: true });
    return { engine, endingPrompt: [] };
  },
  {
    'ends by itself and keeps the end-of-generation token to itself': 'its answers have no end',
    'hands a saved prefix to another slot': 'its state cannot be moved',
    'copies a prefix from a running slot': 'its state cannot be moved',
    'brings a slot back from a file': 'its state cannot be moved',
  },
);
