import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chatFiles } from '../../src/terminal/chat-files.ts';
import { type Conversation, newConversation, readSaved, requestOf } from '../../src/terminal/conversation.ts';
import { type ChatControls, completions, isSlashCommand, runSlashCommand } from '../../src/terminal/slash-commands.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-chat-'));
});
afterAll(() => rm(folder, { recursive: true }));

function chat() {
  const lines: string[] = [];
  let retries = 0;
  const controls: ChatControls = {
    conversation: newConversation('local'),
    images: [],
    files: chatFiles,
    say: (line) => lines.push(line),
    models: async () => [
      { id: 'local', state: 'loaded', contextLength: 4096, sees: false },
      { id: 'other', state: 'unloaded', contextLength: 4096, sees: false },
    ],
    retry: async () => {
      retries++;
    },
  };
  /** What was said, or refused. */
  const run = async (text: string): Promise<string[]> => {
    lines.length = 0;
    await runSlashCommand(text, controls).catch((error: Error) => lines.push(`refused: ${error.message}`));
    return [...lines];
  };
  return { controls, run, retries: () => retries };
}

const talked: Conversation = {
  model: 'local',
  system: 'Be brief.',
  think: 'high',
  settings: { temperature: 0, stop: 'END' },
  messages: [
    { role: 'user', text: 'What is this?', images: ['data:image/png;base64,aGk='] },
    {
      role: 'assistant',
      text: 'A sum: 7.',
      thought: 'Add.',
      calls: [{ id: 'c1', name: 'get-sum', arguments: '{"a": 3}', result: '7' }],
    },
    { role: 'user', text: 'Sure?', images: [] },
  ],
};

describe('commands of a chat', () => {
  it('are told from messages', () => {
    expect(['/help', '/set x 1', '/', '/SET'].map(isSlashCommand)).toEqual([true, true, true, true]);
    expect(['/etc/passwd is what?', 'a /help', '//', '/* c */'].map(isSlashCommand)).toEqual(Array(4).fill(false));
  });

  it('that are unknown or wrong say what to do', async () => {
    const { run } = chat();
    expect(await run('/foo')).toEqual(['refused: There is no /foo. /help shows what there is.']);
    expect(await run('/set colour red')).toEqual(['refused: There is no setting colour. /set shows what there is.']);
    expect(await run('/set top_k many')).toEqual(['refused: top_k must be a number, not "many".']);
    expect(await run('/think hard')).toEqual(['refused: /think takes auto, on, off, low, medium, high, not hard.']);
    expect(await run('/model none')).toEqual(['refused: There is no model none. /model shows what there is.']);
    expect(await run('/save')).toEqual(['refused: Write /save and the path of a file.']);
    expect(await run(`/load ${folder}/none`)).toEqual([
      `refused: ${folder}/none cannot be read. Check the path and its permissions.`,
    ]);
    expect(await run(`/image ${folder}`)).toEqual([`refused: ${folder} cannot be used (EISDIR).`]);
  });

  it('change what is asked', async () => {
    const { controls, run, retries } = chat();
    await run('/system Be\nbrief.');
    await run('/set temperature 0.5');
    await run('/set stop a b');
    await run('/set seed 7');
    await run('/set seed');
    await run('/think off');
    expect(await run('/model other.gguf')).toEqual(['It is other from here on.']);
    expect(requestOf(controls.conversation)).toEqual({
      model: 'other',
      temperature: 0.5,
      stop: 'a b',
      enable_thinking: false,
      messages: [{ role: 'system', content: 'Be\nbrief.' }],
    });
    expect(await run('/model')).toEqual(['  local  loaded', '* other  unloaded']);
    expect(await run('/system')).toEqual(['Be\nbrief.']);
    await run('/system -');
    expect(await run('/system')).toEqual(['There is no system prompt.']);
    await run('/retry');
    expect(retries()).toBe(1);
    controls.conversation = talked;
    await run('/clear');
    expect(controls.conversation).toEqual({ ...talked, messages: [] });
    expect(await runSlashCommand('/bye', controls)).toBe(true);
    expect(await runSlashCommand('/help', controls)).toBe(false);
  });

  it('keep a chat as it is, and write over nothing else', async () => {
    const { controls, run } = chat();
    const path = join(folder, 'a chat.json');
    controls.conversation = talked;
    expect(await run(`/save ${path}`)).toEqual(['3 messages saved.']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(readSaved(await readFile(path, 'utf8'))).toEqual(talked);
    await run('/clear');
    expect(await run(`/load '${path}'`)).toEqual(['3 messages loaded.']);
    expect(controls.conversation).toEqual(talked);
    await run('/clear');
    expect(await run(`/save ${path.replaceAll(' ', '\\ ')}`)).toEqual(['0 messages saved.']);
    const notes = join(folder, 'notes.txt');
    await writeFile(notes, 'mine');
    expect(await run(`/save ${notes}`)).toEqual([`refused: ${notes} is no saved chat.`]);
    expect(await run(`/load ${notes}`)).toEqual([`refused: ${notes} is no saved chat.`]);
    expect(await readFile(notes, 'utf8')).toBe('mine');
  });

  it('send an image with the next message, and what tools did with the answer', async () => {
    const { controls, run } = chat();
    await writeFile(join(folder, 'a.JPG'), 'hi');
    expect(await run(`/image ${folder}/a.JPG`)).toEqual(['It goes with the next message.']);
    expect(controls.images).toEqual(['data:image/jpeg;base64,aGk=']);
    expect(requestOf(talked)).toEqual({
      model: 'local',
      temperature: 0,
      stop: 'END',
      reasoning_effort: 'high',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
            { type: 'text', text: 'What is this?' },
          ],
        },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'get-sum', arguments: '{"a": 3}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: '7' },
        { role: 'assistant', content: 'A sum: 7.', reasoning_content: 'Add.' },
        { role: 'user', content: 'Sure?' },
      ],
    });
  });

  it('are completed', () => {
    expect(completions('/s')).toEqual(['/system ', '/set ', '/save ']);
    expect(completions('/set top')).toEqual(['/set top_p ', '/set top_k ']);
    expect(completions('/think o')).toEqual(['/think on', '/think off']);
    expect(completions('hello')).toEqual([]);
  });
});
