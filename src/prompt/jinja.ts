import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import type { CompileTemplate, RenderTemplate } from '../contract/chat-format.ts';
import { ServeError } from '../contract/errors.ts';
import { strftime } from './strftime.ts';

/** The engine that needs no native code. */
export function jinjaCompiler(now: () => Date): CompileTemplate {
  return (template) => {
    const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
    return (variables) => {
      const environment = new Environment();
      for (const [name, value] of Object.entries(globals(now))) environment.set(name, value);
      for (const [name, value] of Object.entries(variables)) if (value !== undefined) environment.set(name, value);
      return String(new Interpreter(environment).run(program).value);
    };
  };
}

/** Where `first` cannot compile or run a template, `second` may: no engine knows all of Jinja. Refusals stand. */
export function withFallback(first: CompileTemplate, second: CompileTemplate): CompileTemplate {
  return (template) => {
    const other = lazily(() => second(template));
    let render: RenderTemplate;
    try {
      render = first(template);
    } catch {
      return other();
    }
    return (variables) => {
      try {
        return render(variables);
      } catch (thrown) {
        if (isRefusal(thrown)) throw thrown;
        return attempt(() => other()(variables), thrown);
      }
    };
  };
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The first engine's error is the one to tell when the second one fails too, unless that has refused. */
function attempt(render: () => string, before: unknown): string {
  try {
    return render();
  } catch (thrown) {
    throw isRefusal(thrown) ? thrown : before;
  }
}

/** Whether the template itself has refused the messages. */
export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof ServeError || (thrown instanceof Error && nativeRefusal.test(thrown.message));
}

function globals(now: () => Date) {
  return {
    true: true,
    false: false,
    none: null,
    True: true,
    False: false,
    None: null,
    range,
    strftime_now: (format: string) => strftime(now(), format),
    raise_exception: (message: string) => {
      throw new ServeError('invalid_request', refusal(message));
    },
  };
}

function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return Array.from({ length }, (_, index) => start + index * step);
}

/** What a template's own refusal looks like in the message of an engine that runs raise_exception itself. */
const nativeRefusal = /Jinja Exception: ([\s\S]*)$/;

/** A failed rendering -> the client's 400, in the template's own words where it has refused. */
export function toRefusal(thrown: unknown): ServeError {
  if (thrown instanceof ServeError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const words = nativeRefusal.exec(message)?.[1];
  const text = words === undefined ? cannotRender(message) : refusal(words);
  return new ServeError('invalid_request', text, { param: 'messages' }, { cause: thrown });
}

function refusal(words: string): string {
  return `The model's chat template refuses these messages: ${words.trim()}`;
}

function cannotRender(message: string): string {
  const reason = message.split('\n').at(-1)?.trim() ?? '';
  return `The model's chat template cannot render these messages (${reason}). Change the messages or give the server another template.`;
}
