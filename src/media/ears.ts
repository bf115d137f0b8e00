import type { ProjectorFile } from '../contract/projector.ts';
import type { Ear } from './ear.ts';
import { openQwen3Audio } from './ears/qwen3-audio.ts';
import { openQwen2Audio, openUltravox, openVoxtral } from './ears/whisper.ts';
import { openSense } from './projector-file.ts';

/** Kind of projector (`clip.projector_type`, `clip.audio.projector_type`) -> how it is read. */
const ears: Readonly<Record<string, (file: ProjectorFile) => Ear>> = {
  ultravox: openUltravox,
  qwen2a: openQwen2Audio,
  // Qwen2.5-Omni's ear.
  'qwen2.5o': openQwen2Audio,
  voxtral: openVoxtral,
  qwen3a: openQwen3Audio,
};

/** ServeError invalid_request: a kind that is not known, or a file that lacks something. */
export function openEar(file: ProjectorFile): Ear {
  return openSense(file, 'a', ears);
}
