import type { ProjectorFile } from '../contract/projector.ts';
import type { Eye } from './eye.ts';
import { openGemma3 } from './families/gemma3.ts';
import { openGlm4V } from './families/glm4v.ts';
import { openIdefics3 } from './families/idefics3.ts';
import { openInternVl } from './families/internvl.ts';
import { openLfm2 } from './families/lfm2.ts';
import { openLlava } from './families/llava.ts';
import { openPixtral } from './families/pixtral.ts';
import { openQwen2Vl, openQwen25Vl } from './families/qwen2vl.ts';
import { openQwen3Vl } from './families/qwen3vl.ts';
import { openSense } from './projector-file.ts';

/** Kind of projector (`clip.projector_type`) -> how it is read. One file of `families` for each. */
const families: Readonly<Record<string, (file: ProjectorFile) => Eye>> = {
  mlp: openLlava,
  qwen2vl_merger: openQwen2Vl,
  'qwen2.5vl_merger': openQwen25Vl,
  // Qwen2.5-Omni's eye.
  'qwen2.5o': openQwen25Vl,
  qwen3vl_merger: openQwen3Vl,
  gemma3: openGemma3,
  idefics3: openIdefics3,
  internvl: openInternVl,
  pixtral: openPixtral,
  lfm2: openLfm2,
  glm4v: openGlm4V,
};

export const knownProjectors = Object.keys(families);

/** ServeError invalid_request: a kind that is not known, or a file that lacks something. */
export function openEye(file: ProjectorFile): Eye {
  return openSense(file, 'v', families);
}
