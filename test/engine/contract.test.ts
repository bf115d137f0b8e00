import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeEngineContract } from '../engine-contract/suite.ts';
import { loadDemoModel } from '../support/demo-engine.ts';
import { examples } from '../support/demo-examples.ts';
import { tinyArchitectures, writeTinyModel } from '../support/tiny-models.ts';

// On all cores quick steps leave their text until the next tokens are drawn.
for (const threads of new Set([1, availableParallelism()])) {
  describeEngineContract(`llama with the demo model on ${threads} threads`, async () => {
    const { engine } = await loadDemoModel({ slots: 3, contextSize: 512, batchSize: 64, threads });
    const shortest = [...examples].sort((one, other) => one.raw.length - other.raw.length)[0];
    return { engine, endingPrompt: await engine.text.tokenize([shortest?.prompt ?? ''], { special: true }) };
  });
}

const cannotMove = 'its state cannot be moved';

for (const architecture of tinyArchitectures) {
  describeEngineContract(
    `llama with a tiny ${architecture}`,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'serve-model-tiny-'));
      const path = join(folder, 'tiny.gguf');
      writeTinyModel(path, architecture);
      const { engine } = await loadDemoModel({ path, slots: 3, contextSize: 512, batchSize: 64 });
      await rm(folder, { recursive: true });
      return { engine, endingPrompt: [] };
    },
    {
      'ends by itself and keeps the end-of-generation token to itself': 'its answers have no end',
      'hands a saved prefix to another slot': cannotMove,
      'copies a prefix from a running slot': cannotMove,
      'brings a slot back from a file': cannotMove,
    },
  );
}
