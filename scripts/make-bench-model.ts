import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makeBenchModel, modelShapes } from './bench/bench-model.ts';
import { isModelName, modelPath } from './bench/model-path.ts';

/** Writes the random-weight models of the benchmark: `npm run bench:models -- [--out FOLDER] [mini] [half-b]`. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string', default: '.cache/bench' } },
});

const names = positionals.length > 0 ? positionals : Object.keys(modelShapes);
for (const name of names) {
  if (!isModelName(name))
    throw new Error(`Unknown model ${name}: there are ${Object.keys(modelShapes).join(' and ')}.`);
  const path = modelPath(values.out, name);
  makeBenchModel(name, path);
  console.log(`${path}: ${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`);
}
