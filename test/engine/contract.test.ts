import { describeEngineContract } from '../engine-contract/suite.ts';
import { loadDemoModel } from '../support/demo-engine.ts';
import { examples } from '../support/demo-examples.ts';

describeEngineContract('llama with the demo model', async () => {
  const { engine } = await loadDemoModel({ slots: 3, contextSize: 512, batchSize: 64 });
  const shortest = [...examples].sort((one, other) => one.raw.length - other.raw.length)[0];
  return { engine, endingPrompt: await engine.text.tokenize([shortest?.prompt ?? ''], { special: true }) };
});
