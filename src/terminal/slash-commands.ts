import type { ServedModel } from '../client/models.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import type { ChatFiles } from './chat-files.ts';
import {
  type Conversation,
  newConversation,
  type SettingName,
  settingKinds,
  type ThinkWord,
  thinkWords,
} from './conversation.ts';

/** What the commands of a chat act on. */
export interface ChatControls {
  conversation: Conversation;
  /** For the next message, as `data:` addresses. */
  images: readonly string[];
  readonly files: ChatFiles;
  /** A line to the person. */
  readonly say: (line: string) => void;
  readonly models: () => Promise<readonly ServedModel[]>;
  /** Answers the last thing that was asked anew. */
  readonly retry: () => Promise<void>;
}

interface SlashCommand {
  /** What stands after the word. */
  readonly operand: string;
  readonly help: string;
  /** True ends the chat. Throws a ServeError for the person. */
  readonly run: (operand: string, chat: ChatControls) => Promise<boolean>;
}

const wentOn =
  (act: (operand: string, chat: ChatControls) => unknown) => async (operand: string, chat: ChatControls) => {
    await act(operand, chat);
    return false;
  };

const slashCommands: Readonly<Record<string, SlashCommand>> = {
  help: { operand: '', help: 'this text', run: wentOn((_, chat) => showHelp(chat)) },
  model: {
    operand: '[NAME]',
    help: 'which models there are; talk to another one',
    run: wentOn(chooseModel),
  },
  system: { operand: '[TEXT]', help: 'the system prompt: show it, or set it (- for none)', run: wentOn(setSystem) },
  set: {
    operand: '[NAME [VALUE]]',
    help: 'settings: show them, set one, or leave one to the model again',
    run: wentOn(changeSetting),
  },
  think: { operand: thinkWords.join('|'), help: 'whether and how much it thinks', run: wentOn(setThinking) },
  image: { operand: 'PATH', help: 'show it an image with the next message', run: wentOn(addImage) },
  save: { operand: 'FILE', help: 'keep this chat', run: wentOn(saveChat) },
  load: { operand: 'FILE', help: 'go on with a chat that was saved', run: wentOn(loadChat) },
  retry: { operand: '', help: 'answer again', run: wentOn((_, chat) => chat.retry()) },
  clear: { operand: '', help: 'begin anew', run: wentOn((_, chat) => clearChat(chat)) },
  bye: { operand: '', help: 'end (also Ctrl-D)', run: async () => true },
};

/** A message that begins like a command, and is none: a path, or a comment. */
export function isSlashCommand(text: string): boolean {
  return /^\/[a-z]*(\s|$)/i.test(text);
}

export async function runSlashCommand(text: string, chat: ChatControls): Promise<boolean> {
  const [, word = '', operand = ''] = /^\/(\S*)\s*([\s\S]*)$/.exec(text) ?? [];
  const command = slashCommands[word.toLowerCase()];
  if (!command) throw wrong(`There is no /${word}. /help shows what there is.`);
  return command.run(operand.trim(), chat);
}

/** Beginnings that a line may have gone on as, for the Tab key. */
export function completions(line: string): string[] {
  if (!line.startsWith('/')) return [];
  const settings = Object.keys(settingKinds).map((name) => `/set ${name} `);
  const thinking = thinkWords.map((word) => `/think ${word}`);
  const names = Object.entries(slashCommands).map(([name, { operand }]) => `/${name}${operand === '' ? '' : ' '}`);
  return (line.includes(' ') ? [...settings, ...thinking] : names).filter((whole) => whole.startsWith(line));
}

function showHelp({ say }: ChatControls): void {
  for (const [name, { operand, help }] of Object.entries(slashCommands))
    say(`  ${`/${name} ${operand}`.trimEnd().padEnd(34)} ${help}`);
  say('  Alt-Enter, Ctrl-J or \\ at the end    another line; """ begins and ends several');
  say('  Ctrl-C                              stop the answer');
  say('  Ctrl-T                              show or fold thoughts');
}

async function chooseModel(name: string, chat: ChatControls): Promise<void> {
  const models = await chat.models();
  const { model } = chat.conversation;
  if (name === '') {
    for (const { id, state } of models) chat.say(`${id === model ? '*' : ' '} ${printable(id)}  ${printable(state)}`);
    return;
  }
  const found = models.find(({ id }) => id === name || id === name.replace(/\.gguf$/i, ''));
  if (!found) throw wrong(`There is no model ${name}. /model shows what there is.`);
  chat.conversation = { ...chat.conversation, model: found.id };
  chat.say(`It is ${printable(found.id)} from here on.`);
}

function setSystem(text: string, chat: ChatControls): void {
  if (text === '') {
    chat.say(chat.conversation.system === '' ? 'There is no system prompt.' : chat.conversation.system);
    return;
  }
  chat.conversation = { ...chat.conversation, system: text === '-' ? '' : text };
}

function changeSetting(operand: string, chat: ChatControls): void {
  const { settings } = chat.conversation;
  const [, name = '', text = ''] = /^(\S*)\s*([\s\S]*)$/.exec(operand) ?? [];
  if (name === '') {
    for (const known of Object.keys(settingKinds) as SettingName[])
      chat.say(`  ${known.padEnd(18)} ${settings[known] ?? 'as the model has it'}`);
    return;
  }
  if (!isSetting(name)) throw wrong(`There is no setting ${name}. /set shows what there is.`);
  const { [name]: _, ...others } = settings;
  const value = text === '' ? {} : { [name]: settingValue(name, text) };
  chat.conversation = { ...chat.conversation, settings: { ...others, ...value } };
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(settingKinds, name);
}

function settingValue(name: SettingName, text: string): number | string {
  if (settingKinds[name] === 'text') return text;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw wrong(`${name} must be a number, not ${JSON.stringify(text)}.`);
}

function setThinking(word: string, chat: ChatControls): void {
  if (word === '') {
    chat.say(chat.conversation.think);
    return;
  }
  if (!isThinkWord(word)) throw wrong(`/think takes ${thinkWords.join(', ')}, not ${word}.`);
  chat.conversation = { ...chat.conversation, think: word };
}

function isThinkWord(word: string): word is ThinkWord {
  return thinkWords.some((known) => known === word);
}

async function addImage(path: string, chat: ChatControls): Promise<void> {
  chat.images = [...chat.images, await chat.files.readImage(expectPath(path, 'image'))];
  chat.say(
    chat.images.length === 1 ? 'It goes with the next message.' : `${chat.images.length} go with the next message.`,
  );
}

async function saveChat(path: string, chat: ChatControls): Promise<void> {
  await chat.files.save(expectPath(path, 'save'), chat.conversation);
  chat.say(`${countText(chat.conversation)} saved.`);
}

async function loadChat(path: string, chat: ChatControls): Promise<void> {
  chat.conversation = await chat.files.load(expectPath(path, 'load'));
  chat.images = [];
  chat.say(`${countText(chat.conversation)} loaded.`);
}

function clearChat(chat: ChatControls): void {
  const { model, system, think, settings } = chat.conversation;
  chat.conversation = { ...newConversation(model), system, think, settings };
  chat.images = [];
}

function countText({ messages }: Conversation): string {
  return messages.length === 1 ? '1 message' : `${messages.length} messages`;
}

function expectPath(path: string, command: string): string {
  if (path === '') throw wrong(`Write /${command} and the path of a file.`);
  return path;
}

function wrong(message: string): ServeError {
  return new ServeError('invalid_request', message);
}
