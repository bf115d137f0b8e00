import { totalmem } from 'node:os';
import type { MachineMemory } from './choose-quantization.ts';

/** Of all memory, what a model may take: the system and other programs need the rest. */
const share = 0.85;

/** What this machine has, whatever runs on it just now: for choosing what to download. */
export async function machineMemory(): Promise<MachineMemory> {
  return { ram: totalmem() * share, vram: (await gpuBytes()) * share };
}

/** 0 when there is no GPU, or the native library does not load on this machine. */
async function gpuBytes(): Promise<number> {
  try {
    const { getLlama, LlamaLogLevel } = await import('node-llama-cpp');
    const quiet = { build: 'never', progressLogs: false, logLevel: LlamaLogLevel.disabled } as const;
    const llama = await getLlama({ gpu: 'auto', ...quiet });
    return llama.gpu === false ? 0 : (await llama.getVramState()).total;
  } catch {
    return 0;
  }
}
