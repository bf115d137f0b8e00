import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { templateCompiler } from '../engine/jinja.ts';
import { defaultChatTemplate } from '../prompt/default-template.ts';
import { createPromptRenderer } from '../prompt/renderer.ts';
import { chatFormatOf, explainChatFormat } from '../templates/chat-format.ts';
import type { FromTemplates, ToTemplates } from '../templates/protocol.ts';
import { serveTemplates } from '../templates/serve-templates.ts';

/** What the server starts to run templates: the builder of that process. */
const now = () => new Date();
const send = (message: FromTemplates) => void process.send?.(message, undefined, undefined, () => undefined);
const take = serveTemplates(
  {
    examine({ chatTemplate, toolTemplate, chatFormat, vocabulary, libraryFolder }) {
      const compile = libraryFolder === undefined ? undefined : templateCompiler({ folder: libraryFolder });
      const format = chatFormatOf({ chatTemplate, toolTemplate, chatFormat }, { vocabulary, now, compile });
      const template = chatTemplate ?? defaultChatTemplate;
      return { format, renderer: createPromptRenderer({ template, toolTemplate, vocabulary, format, now, compile }) };
    },
    explain: (facts) => explainChatFormat(facts, now),
  },
  send,
);

if (!process.send) {
  process.stderr.write('This file is started by serve-model to render prompts.\n');
  process.exit(2);
}
process.on('message', (message: ToTemplates) => take(message));
process.once('disconnect', () => process.exit(0));
// A terminal and a supervisor signal all processes; when this one ends is for the server to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
preferAsVictim();
send({ ready: true });
dieWithParent();

/** When memory runs out on Linux, a template that takes it all goes before the server. */
function preferAsVictim(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Another system, or one that does not allow it.
  }
}

/** A template that never ends hears nothing of a server that was killed: a thread beside it looks. */
function dieWithParent(): void {
  const watch = `const parent = ${process.ppid};
    setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGKILL'), 1000);`;
  new Worker(watch, { eval: true, stdout: false, stderr: false }).unref();
}
