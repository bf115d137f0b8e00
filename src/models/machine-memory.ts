import { freemem, totalmem } from 'node:os';
import type { MachineMemory } from './choose-quantization.ts';

/** Of all memory, what a model may take: the system and other programs need the rest. */
const share = 0.85;

/** What this machine has, whatever runs on it just now: for choosing what to download. */
export async function machineMemory(): Promise<MachineMemory> {
  return { ram: totalmem() * share, vram: (await gpuMemory()).total * share };
}

/** What is free at this moment: for deciding whether a model can be loaded. */
export async function freeMemory(): Promise<MachineMemory> {
  return { ram: freemem(), vram: (await gpuMemory()).free };
}

/** Zeros when there is no GPU, or the native library does not load on this machine. */
async function gpuMemory(): Promise<{ readonly total: number; readonly free: number }> {
  try {
    const { getLlama, LlamaLogLevel } = await import('node-llama-cpp');
    const llama = await getLlama({
      gpu: 'auto',
      build: 'never',
      progressLogs: false,
      logLevel: LlamaLogLevel.disabled,
    });
    if (llama.gpu === false) return { total: 0, free: 0 };
    return await llama.getVramState();
  } catch {
    return { total: 0, free: 0 };
  }
}
