import type { Format } from './format.ts';

/** Every word of the page. What is said with a number in it is a function of it. */
export const en = {
  copied: 'Copied',
  cancel: 'Cancel',
  close: 'Close',
  undo: 'Undo',
  retry: 'Try again',
  details: 'Details',

  page: {
    partMissing: 'A part of the page could not be fetched.',
    skip: 'Skip to the message field',
    conversation: 'Conversation',
  },

  sidebar: {
    name: 'Chats',
    open: 'Show the chats',
    hide: 'Hide the chats',
    newChat: 'New chat',
    search: 'Search chats',
    clearSearch: 'Clear the search',
    nothingFound: 'No chat has all of these words.',
    noChats: 'Your chats will be listed here.',
    pinned: 'Pinned',
    today: 'Today',
    yesterday: 'Yesterday',
    lastWeek: 'Last seven days',
    older: 'Older',
    untitled: 'Untitled',
    answering: 'being answered',
    actions: (title: string) => `Actions for “${title}”`,
    rename: 'Rename',
    newTitle: 'New title',
    pin: 'Pin',
    unpin: 'Unpin',
    remove: 'Delete',
    removed: (title: string) => `“${title}” was deleted.`,
    keptHere: 'Chats are kept in this browser.',
    keptOnServer: 'Chats are kept on this server.',
  },

  preferences: {
    name: 'Appearance and language',
    theme: 'Appearance',
    auto: 'As the system',
    light: 'Light',
    dark: 'Dark',
    language: 'Language',
    shortcuts: 'Keyboard shortcuts',
  },

  server: {
    asking: 'Connecting …',
    ready: 'ready',
    noModel: 'No model',
    loading: 'loading',
    phases: {
      download: 'downloading',
      mmap: 'loading',
      load: 'loading',
      calibrate: 'measuring this machine',
      ready: 'almost ready',
    },
    left: (duration: string) => `${duration} left`,
    gone: 'The server does not answer. Trying again …',
    goneHint: 'Reading, searching and writing go on working.',
    tryNow: 'Try now',
    context: (tokens: string) => `${tokens} tokens of context`,
  },

  models: {
    title: 'Models',
    loaded: 'Loaded',
    noneLoaded: 'No model is loaded.',
    used: 'answers',
    use: 'Use',
    unload: 'Unload',
    unloadName: (name: string) => `Unload ${name}`,
    leaving: 'is unloaded …',
    leavingLater: 'is unloaded when its answers are out …',
    context: (tokens: string) => `${tokens} tokens of context`,
    slots: (count: string, one: boolean) => (one ? '1 slot' : `${count} slots`),
    memory: (bytes: string) => `about ${bytes}`,
    local: 'On this machine',
    noneLocal: 'There is no other model on the server’s machine.',
    bundled: 'comes with the server',
    trained: (tokens: string) => `trained for ${tokens} tokens`,
    load: 'Load',
    loadName: (name: string) => `Load ${name}`,
    removeName: (name: string) => `Delete ${name}`,
    removeFile: 'Delete the file',
    hub: 'On the hub',
    search: 'Search',
    searchLabel: 'Search models on the hub',
    searchHint: 'Name of a model, as qwen3 4b',
    nothingFound: 'The hub has no GGUF model by this name.',
    downloads: (count: string) => `${count} downloads`,
    likes: (count: string) => `${count} likes`,
    gated: 'needs its terms accepted on the hub',
    looking: 'Looking at its files …',
    best: 'best for this machine',
    downloaded: 'on this machine',
    download: 'Download and load',
    downloadName: (name: string) => `Download and load ${name}`,
    fits: (needed: string, there: string) => `fits: ${needed} of ${there}`,
    fitsGpu: (needed: string, there: string) => `fits the GPU: ${needed} of ${there}`,
    tooLarge: (needed: string, there: string) => `too large: needs ${needed}, there are ${there}`,
    underWay: 'A model is being loaded',
    begins: 'begins …',
    mayNot: 'Models are changed by whoever runs this server: from its own machine, or with a key that may.',
  },

  key: {
    title: 'This server asks for a key',
    hint: 'Whoever runs it can give you one. It is sent to this server only.',
    label: 'Key',
    remember: 'Remember it in this browser',
    enter: 'Continue',
    refused: 'The server does not know this key.',
  },

  welcome: {
    choose: 'Choose a model',
    title: 'What can I help with?',
    loading: 'You can write already. It is sent when the model is ready.',
    here: 'Everything stays on the machine that this server runs on.',
    demo: 'This is the small demo model: good for trying out, not for knowledge. For real work start the server with another one.',
    none: 'No model is loaded. What you write waits for one.',
    samples: [
      'Tell me a short story about a fox and a lighthouse.',
      'Explain how a rainbow forms, in three sentences.',
      'Write a haiku about rain.',
      'What are good questions to ask before buying a used bicycle?',
    ],
  },

  composer: {
    label: 'Message',
    placeholder: 'Write a message …',
    send: 'Send',
    stop: 'Stop',
    thinking: 'Think first',
    thinkingHint: 'The model thinks before it answers',
    tokens: (tokens: string, context: string) => `${tokens} of ${context} tokens`,
    price: (fresh: string, kept: string) => `${fresh} new + ${kept} kept`,
    first: (duration: string) => `first token in about ${duration}`,
    full: 'Does not fit the context',
    hint: 'Enter sends, Shift + Enter starts a new line',
  },

  message: {
    you: 'You',
    model: 'Model',
    copy: 'Copy',
    edit: 'Edit',
    again: 'Answer again',
    resume: 'Continue',
    fork: 'Fork into a new chat',
    versions: (index: string, count: string) => `Version ${index} of ${count}`,
    previous: 'Previous version',
    next: 'Next version',
    edited: 'edited',
    save: 'Save',
    saveAndContinue: 'Save and continue',
    sendAgain: 'Send',
    editLabel: 'Edit the message',
    more: 'More actions',
    done: 'done',
    open: 'to do',
    newText: 'New text below',
  },

  phase: {
    sent: 'Sent …',
    model: 'Waiting for the model',
    modelGone: 'Waiting for the server',
    queued: (position: string) => `${position} in line`,
    next: 'Next in line',
    about: (duration: string) => `about ${duration}`,
    reading: (done: string, total: string) => `Reading ${done} of ${total} tokens`,
    kept: (count: string) => `${count} kept from before`,
    stopping: 'Stopping …',
    later: (seconds: string) => `The server is busy. Asking again in ${seconds}`,
    now: 'Ask now',
  },

  thought: {
    live: 'Thinking',
    done: (duration: string) => `Thought for ${duration}`,
    doneShort: 'Thought',
    tokens: (count: string, one: boolean) => (one ? '1 token' : `${count} tokens`),
  },

  call: {
    name: 'Tool call',
    result: 'Result',
    failed: 'failed',
    waiting: 'No tool is connected to this page, so the call was not made.',
  },

  outcome: {
    stopped: (tokens: string) => (tokens === '' ? 'Stopped by you' : `Stopped by you after ${tokens} tokens`),
    length: (tokens: string) => `Cut at the limit of ${tokens} tokens`,
    context: 'Cut: the context is full',
    interrupted: 'Interrupted: the connection broke off',
    calls: 'Ended with a tool call',
    error: 'The answer failed',
    empty: 'The model said nothing.',
    finished: 'The answer is finished.',
    wasStopped: 'The answer was stopped.',
  },

  figures: {
    name: 'Statistics',
    rate: (rate: string) => `${rate} tok/s`,
    tokens: (count: string, one: boolean) => (one ? '1 token' : `${count} tokens`),
    read: (count: string, duration: string) => `read ${count} in ${duration}`,
    kept: (count: string) => `${count} kept`,
    queue: 'Waited in line',
    promptTime: 'Reading the prompt',
    promptTokens: 'Prompt tokens',
    cachedTokens: 'of these kept from before',
    answerTime: 'Writing',
    answerTokens: 'Answer tokens',
    thoughtTokens: 'of these thought',
    seed: 'Seed',
    model: 'Model',
  },

  failure: {
    requestId: (id: string) => `Request ${id}`,
    contextFull: 'This chat has become longer than the model’s context.',
    contextHint: 'Start a new chat, edit an earlier message, or start the server with a larger --ctx-size.',
    needed: (needed: string, available: string) => `${needed} tokens needed, ${available} available`,
    store: 'The chats could not be saved in this browser:',
  },

  code: {
    plain: 'text',
    copy: 'Copy the code',
    wrap: 'Wrap long lines',
  },

  shortcuts: {
    title: 'Keyboard shortcuts',
    rows: [
      ['Send', 'Enter'],
      ['New line', 'Shift + Enter'],
      ['Stop the answer', 'Esc'],
      ['New chat', 'Ctrl + Shift + O'],
      ['Search chats', 'Ctrl + K'],
      ['Show or hide the chats', 'Ctrl + B'],
      ['Edit the last message', '↑ in an empty field'],
      ['To the message field', 'Shift + Esc'],
      ['Copy the last answer', 'Ctrl + Shift + C'],
      ['This list', 'Ctrl + /'],
    ],
  },
} as const;

type Widen<Value> = Value extends (...parameters: infer Given) => string
  ? (...parameters: Given) => string
  : Value extends string
    ? string
    : { readonly [Name in keyof Value]: Widen<Value[Name]> };

/** What every language has to say. */
export type Strings = Widen<typeof en>;

/** Strings with the formats of their language. */
export type Language = Strings & { readonly format: Format; readonly locale: string };
