import type { ModelName } from './bench-model.ts';
import { chat } from './chat.ts';
import type { Scenario } from './scenario.ts';
import type { RunningServer, ServerSpec } from './server.ts';
import { startServer } from './server.ts';

/** One figure in one round; an error text where the scenario failed. */
export interface Sample {
  readonly scenario: string;
  readonly measure: number;
  readonly server: string;
  readonly value: number | string | undefined;
}

export interface RunOptions {
  readonly model: ModelName;
  readonly modelPath: string;
  readonly specs: readonly ServerSpec[];
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly log: (line: string) => void;
}

/** Starts all servers and runs every scenario on each in turn, round after round, the order changing from round to round. */
export async function runRounds({ model, modelPath, specs, scenarios, rounds, log }: RunOptions): Promise<Sample[]> {
  const servers: RunningServer[] = [];
  const samples: Sample[] = [];
  try {
    for (const spec of specs) servers.push(await startServer(spec, modelPath));
    for (const { port } of servers)
      await chat(port, { messages: [{ role: 'user', content: 'Warm up.' }], maxTokens: 16 });
    for (let round = 0; round < rounds; round += 1) {
      for (const scenario of scenarios) {
        const order = servers.map((_, index) => servers[(index + round) % servers.length] ?? servers[index]);
        for (const server of order) {
          if (!server) continue;
          const seed = (round + 1) * 1000 + scenarios.indexOf(scenario) * 20;
          const values = await runOne(scenario, { server, model, modelPath, seed });
          log(`${model}, round ${round + 1}, ${scenario.name}, ${server.spec.name}: ${values.map(show).join(', ')}`);
          samples.push(
            ...values.map((value, measure) => ({ scenario: scenario.name, measure, server: server.spec.name, value })),
          );
        }
      }
    }
    return samples;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** A scenario that fails on one server must not cost the figures of all the others. */
async function runOne(scenario: Scenario, input: Parameters<Scenario['run']>[0]): Promise<Sample['value'][]> {
  try {
    return [...(await scenario.run(input))];
  } catch (error) {
    return scenario.measures.map(() => `failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function show(value: Sample['value']): string {
  return typeof value === 'number' ? value.toPrecision(4) : String(value);
}
