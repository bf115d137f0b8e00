import type { VNode } from 'preact';
import type { HubRepositoryAnswer } from '../../../dialects/hub/answers.ts';
import type { ModelShelf, Quantization } from '../../state/model-shelf.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { ModelRow } from './model-row.tsx';

type Memory = HubRepositoryAnswer['memory'];

/** The files of a repository, and whether this machine can take them. */
export function Quantizations({ id, shelf }: { readonly id: string; readonly shelf: ModelShelf }): VNode | null {
  const t = strings.value.models;
  if (!shelf.repositories.value.has(id)) return null;
  const asked = shelf.repositories.value.get(id);
  if (!asked) return <p class="models-note">{t.looking}</p>;
  if ('failure' in asked) return <p class="models-failure">{asked.failure}</p>;
  const { quantizations, memory } = asked.value;
  return (
    <ul class="model-list">
      {quantizations.map((quantization) => (
        <Row key={quantization.model_path} quantization={quantization} memory={memory} />
      ))}
    </ul>
  );
}

function Row({ quantization, memory }: { readonly quantization: Quantization; readonly memory: Memory }): VNode {
  const { loads } = usePage();
  const { models: t, format } = strings.value;
  const { quantization: name, model_path: path, size_bytes, best, downloaded, fits } = quantization;
  const shown = name ?? path.split('/').at(-1) ?? path;
  const marks = [best ? t.best : '', downloaded ? t.downloaded : ''].filter((mark) => mark !== '');
  return (
    <ModelRow name={shown} title={path} facts={[format.bytes(size_bytes), fitText(quantization, memory)]} marks={marks}>
      <button
        type="button"
        class="quiet"
        aria-label={downloaded ? t.loadName(shown) : t.downloadName(shown)}
        disabled={loads.now.value !== undefined || fits === 'no'}
        title={fits === 'no' ? fitText(quantization, memory) : undefined}
        onClick={() => void loads.load({ path })}
      >
        {downloaded ? t.load : t.download}
      </button>
    </ModelRow>
  );
}

/** `fits 7.1 of 12 GB`: what it needs of what there is. */
function fitText({ fits, required_bytes }: Quantization, { ram_bytes, vram_bytes }: Memory): string {
  const { models: t, format } = strings.value;
  const needed = format.bytes(required_bytes);
  switch (fits) {
    case 'gpu':
      return t.fitsGpu(needed, format.bytes(vram_bytes));
    case 'ram':
      return t.fits(needed, format.bytes(ram_bytes));
    case 'no':
      return t.tooLarge(needed, format.bytes(Math.max(ram_bytes, vram_bytes)));
    default:
      return fits satisfies never;
  }
}
