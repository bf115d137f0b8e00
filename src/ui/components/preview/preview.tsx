import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import '../../styles/preview.css';

/** What the code shows, in a document that reaches nothing: no network, no storage, no window, not this page. */
export function Preview({ code }: { readonly code: string }): VNode {
  const { environment } = usePage();
  const frame = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    const give = ({ source, data }: MessageEvent) => {
      const inner = frame.current?.contentWindow;
      // Told once, by the sandbox before anything of a model runs in it.
      if (!inner || source !== inner || (data as { sandbox?: unknown } | null)?.sandbox !== 'ready') return;
      removeEventListener('message', give);
      inner.postMessage({ html: code }, '*');
    };
    addEventListener('message', give);
    return () => removeEventListener('message', give);
  }, [code]);
  return (
    <iframe
      key={code}
      ref={frame}
      class="preview"
      src={`${environment.base}ui/sandbox`}
      sandbox="allow-scripts"
      referrerpolicy="no-referrer"
      title={strings.value.code.preview}
    />
  );
}
