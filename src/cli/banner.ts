import type { ModelProfile } from '../contract/model.ts';
import { bundledModelPath } from '../models/find-model.ts';
import { showBytes, showCount } from './amounts.ts';

export interface BannerFacts {
  readonly version: string;
  readonly profile: ModelProfile;
  readonly device: string;
  /** That other programs on this machine can reach. */
  readonly url: string;
  /** Requests must carry one. */
  readonly needsKey: boolean;
}

/** What is served and how to try it: at most ten lines. */
export function bannerLines({ version, profile, device, url, needsKey }: BannerFacts): string[] {
  const key = needsKey ? ` -H "authorization: Bearer $API_KEY"` : '';
  return [
    `serve-model ${version} serves ${[profile.id, ...profile.aliases].join(', ')} (${describeModel(profile)})`,
    `  device   ${device}`,
    `  context  ${profile.contextSize} tokens in each of ${profile.slots} ${profile.slots === 1 ? 'slot' : 'slots'}`,
    `  address  ${url}`,
    ...(profile.path === bundledModelPath
      ? ['  This is the bundled demo model. For real work: serve-model MODEL.gguf']
      : []),
    'Try it:',
    `  curl ${url}/v1/chat/completions${key} -H "content-type: application/json" \\`,
    `    -d '{"messages": [{"role": "user", "content": "Hello!"}]}'`,
  ];
}

function describeModel(profile: ModelProfile): string {
  const parameters = profile.parameters === undefined ? undefined : `${showCount(profile.parameters)} parameters`;
  const facts = [profile.architecture, parameters, profile.quantization, showBytes(profile.sizeBytes)];
  return facts.filter((fact) => fact !== undefined).join(', ');
}
