import type { Config } from '../config.ts';
import type { StartObserver } from '../main.ts';
import { machineMemory } from '../models/machine-memory.ts';
import type { ProgressDisplay } from './progress.ts';
import { pullModel, pullProjector } from './pull.ts';
import type { Terminal } from './terminal.ts';

const phaseLabels = { load: 'Loading the model', calibrate: 'Measuring the machine' } as const;

/** Shows the start of a server on stderr, and downloads what is not here. */
export function startObserver(config: Config, terminal: Terminal, progress: ProgressDisplay): StartObserver {
  return {
    progress: (phase, fraction) => progress.show(phaseLabels[phase], fraction),
    obtain: (name, { what, signal, report }) => {
      const options = { config, terminal, signal, report, memory: () => machineMemory() };
      if (typeof what === 'object') return pullProjector(name, what.projectorFor, options);
      return pullModel(name, options, what === 'seeing model' && config.mmproj !== false);
    },
  };
}
