/**
 * Requests in the shapes that the Codex CLI sends, written after its public source (codex-rs: codex-api/src/common.rs for
 * the body, protocol/src/models.rs for the items) and after reports of requests that other servers refused.
 */

/** The grammar that comes with its `apply_patch` tool. */
export const patchGrammar = `start: begin_patch hunk+ end_patch
begin_patch: "*** Begin Patch" LF
end_patch: "*** End Patch" LF?

hunk: add_hunk | delete_hunk | update_hunk
add_hunk: "*** Add File: " filename LF add_line+
delete_hunk: "*** Delete File: " filename LF
update_hunk: "*** Update File: " filename LF change_move? change?

filename: /(.+)/
add_line: "+" /(.*)/ LF -> line

change_move: "*** Move to: " filename LF
change: (change_context | change_line)+ eof_line?
change_context: ("@@" | "@@ " /(.+)/) LF
change_line: ("+" | "-" | " ") /(.*)/ LF
eof_line: "*** End of File" LF

%import common.LF
`;

const shell = {
  type: 'function',
  name: 'exec_command',
  description: 'Runs a command in a PTY.',
  strict: false,
  parameters: {
    type: 'object',
    properties: { cmd: { type: 'string' }, yield_time_ms: { type: 'number' } },
    required: ['cmd'],
    additionalProperties: false,
  },
};

const applyPatch = {
  type: 'custom',
  name: 'apply_patch',
  description: 'Use the `apply_patch` tool to edit files.',
  format: { type: 'grammar', syntax: 'lark', definition: patchGrammar },
};

const collaboration = {
  type: 'namespace',
  name: 'collaboration',
  description: 'Work with other agents.',
  tools: [
    {
      type: 'function',
      name: 'spawn_agent',
      description: 'Starts an agent.',
      strict: false,
      parameters: { type: 'object', properties: { task: { type: 'string' } } },
      defer_loading: true,
    },
  ],
};

const base = {
  model: 'demo',
  instructions: 'You are a coding agent.',
  tools: [shell, applyPatch, collaboration, { type: 'web_search', external_web_access: false }],
  tool_choice: 'auto',
  parallel_tool_calls: false,
  reasoning: { effort: 'medium', summary: 'auto' },
  store: false,
  stream: true,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: '019a9e58-7658-7532-a454-f8ecf068d9fd',
  text: { verbosity: 'low' },
  client_metadata: { 'x-codex-installation-id': 'i' },
};

function user(text: string) {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

const permissions = {
  type: 'message',
  role: 'developer',
  content: [{ type: 'input_text', text: '<permissions instructions>read-only</permissions instructions>' }],
};

/** Release 0.169 sends no `instructions`: they are the first developer message, and every item has an id. */
const developer = {
  type: 'message',
  id: 'msg_06c18ddc-efdc-5eae-849e-e98a2e19e15e',
  role: 'developer',
  content: [{ type: 'input_text', text: 'You are a coding agent.' }],
};

export const codexRequests = {
  'a first turn whose instructions are a message': {
    model: 'demo',
    stream: true,
    store: false,
    tool_choice: 'auto',
    parallel_tool_calls: true,
    reasoning: { summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: '01a1fd90-96f2-7033-bc30-944d086623a6',
    client_metadata: { 'x-codex-turn-metadata': '{"request_kind":"turn"}' },
    tools: [shell, collaboration, { type: 'web_search', external_web_access: false }],
    input: [developer, permissions, { ...user('fix the bug'), id: 'msg_01a1fd90-973d-7e21-b20f-2431c4d6539a' }],
  },
  'a first turn': {
    ...base,
    input: [permissions, user('<environment_context><cwd>/repo</cwd></environment_context>'), user('fix the bug')],
  },
  'a turn with shell, patch and reasoning behind it': {
    ...base,
    input: [
      permissions,
      user('fix the bug'),
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Look first.' }], encrypted_content: 'gAAAA' },
      {
        type: 'message',
        role: 'assistant',
        phase: 'commentary',
        content: [{ type: 'output_text', text: 'Looking.' }],
      },
      { type: 'function_call', name: 'exec_command', arguments: '{"cmd":"ls"}', call_id: 'call_1' },
      { type: 'function_call_output', call_id: 'call_1', output: 'main.py\n' },
      {
        type: 'custom_tool_call',
        status: 'completed',
        call_id: 'call_2',
        name: 'apply_patch',
        input: '*** Begin Patch\n*** Delete File: main.py\n*** End Patch',
      },
      { type: 'custom_tool_call_output', call_id: 'call_2', output: 'Success.' },
    ],
  },
  'an image in the output of a tool': {
    ...base,
    input: [
      user('look at it'),
      { type: 'function_call', name: 'view_image', arguments: '{"path":"a.png"}', call_id: 'call_1' },
      {
        type: 'function_call_output',
        call_id: 'call_1',
        output: [
          { type: 'input_text', text: 'a.png' },
          {
            type: 'input_image',
            image_url:
              'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
          },
        ],
      },
    ],
  },
  'tools that come as an input item': {
    ...base,
    tools: [],
    input: [
      {
        type: 'additional_tools',
        role: 'developer',
        id: 'at_1',
        tools: [
          {
            type: 'namespace',
            name: 'functions',
            description: '',
            tools: [{ type: 'custom', name: 'exec', description: 'Runs JavaScript.', format: { type: 'text' } }],
          },
          collaboration,
        ],
      },
      user('hi'),
    ],
  },
  'a probe with empty input': { ...base, input: [] },
  'a probe without anything to say': {
    model: 'demo',
    instructions: '',
    input: [],
    tools: [],
    stream: true,
    store: false,
  },
  'a local shell call of an older release': {
    ...base,
    input: [
      user('list'),
      {
        type: 'local_shell_call',
        id: 'lsh_1',
        call_id: 'call_1',
        status: 'completed',
        action: { type: 'exec', command: ['ls'], timeout_ms: 1000, working_directory: null, env: null, user: null },
      },
      { type: 'function_call_output', call_id: 'call_1', output: '{"output":"a","metadata":{"exit_code":0}}' },
    ],
  },
  'items that only its own server understands': {
    ...base,
    input: [
      user('hi'),
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } },
      { type: 'tool_search_call', call_id: 'call_1', execution: 'client', arguments: { query: 'browser' } },
      { type: 'tool_search_output', call_id: 'call_1', execution: 'client', status: 'completed', tools: [shell] },
      { type: 'compaction', encrypted_content: 'gAAAA' },
      { type: 'agent_message', from: 'a', to: 'b', content: [{ type: 'encrypted_text', encrypted_content: 'x' }] },
      { type: 'ghost_snapshot', ghost_commit: {} },
    ],
  },
  'an answer in a given shape': {
    ...base,
    tools: [],
    input: [user('title?')],
    text: {
      format: {
        type: 'json_schema',
        name: 'codex_output_schema',
        strict: true,
        schema: {
          type: 'object',
          properties: { title: { type: 'string' } },
          required: ['title'],
          additionalProperties: false,
        },
      },
    },
  },
};
