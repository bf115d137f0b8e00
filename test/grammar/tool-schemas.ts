import type { JsonObject, JsonValue } from '../../src/contract/json.ts';
import type { SchemaCase } from './schema-table.ts';

/** Argument schemas of well-known tools, written from their documentation: MCP servers and coding agents. */
const text = { type: 'string' };
const flag = { type: 'boolean' };
const whole = { type: 'integer' };
const number = { type: 'number' };
const texts = { type: 'array', items: text };

function open(properties: JsonObject, required: readonly string[] = Object.keys(properties)): JsonObject {
  return { type: 'object', properties, required };
}

function strict(properties: JsonObject, required: readonly string[] = Object.keys(properties)): JsonObject {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...open(properties, required),
    additionalProperties: false,
  };
}

function tool(
  name: string,
  schema: JsonObject,
  accepts: readonly JsonValue[],
  refuses: readonly JsonValue[],
  more: Partial<SchemaCase> = {},
): SchemaCase {
  return { name, schema, accepts, refuses, ...more };
}

const todo = strict({
  content: { type: 'string', minLength: 1 },
  status: { type: 'string', enum: ['pending', 'in_progress', 'completed'] },
  activeForm: { type: 'string', minLength: 1 },
});

export const toolCases: readonly SchemaCase[] = [
  tool(
    'filesystem: read_text_file',
    strict({ path: text, tail: { type: 'number', description: 'last N lines' }, head: number }, ['path']),
    [{ path: '/a' }, { path: '/a', head: 10 }],
    [{}, { head: 1 }, { path: 1 }],
  ),
  tool(
    'filesystem: read_multiple_files',
    strict({ paths: { type: 'array', items: text, minItems: 1 } }),
    [{ paths: ['/a', '/b'] }],
    [{ paths: [] }, { paths: '/a' }],
  ),
  tool(
    'filesystem: edit_file',
    strict(
      {
        path: text,
        edits: { type: 'array', items: strict({ oldText: text, newText: text }) },
        dryRun: { type: 'boolean', default: false },
      },
      ['path', 'edits'],
    ),
    [{ path: '/a', edits: [{ oldText: 'a\n', newText: 'b' }], dryRun: true }],
    [{ path: '/a' }, { path: '/a', edits: [{ oldText: 'a' }] }],
  ),
  tool(
    'filesystem: search_files',
    strict({ path: text, pattern: text, excludePatterns: { ...texts, default: [] } }, ['path', 'pattern']),
    [
      { path: '.', pattern: '*.ts' },
      { path: '.', pattern: '*', excludePatterns: ['x'] },
    ],
    [{ path: '.' }],
  ),
  tool(
    'filesystem: list_directory_with_sizes',
    strict({ path: text, sortBy: { type: 'string', enum: ['name', 'size'], default: 'name' } }, ['path']),
    [{ path: '.', sortBy: 'size' }],
    [{ path: '.', sortBy: 'date' }],
  ),
  tool(
    'fetch: fetch',
    {
      description: 'Parameters for fetching a URL.',
      properties: {
        url: { description: 'URL to fetch', format: 'uri', minLength: 1, title: 'Url', type: 'string' },
        max_length: {
          default: 5000,
          exclusiveMaximum: 1000000,
          exclusiveMinimum: 0,
          title: 'Max Length',
          type: 'integer',
        },
        start_index: { default: 0, minimum: 0, type: 'integer' },
        raw: { default: false, type: 'boolean' },
      },
      required: ['url'],
      title: 'Fetch',
      type: 'object',
    },
    [{ url: 'https://example.com/a?b=c' }, { url: 'https://e.org', max_length: 999999, raw: true }],
    [{ url: '' }, { url: 'https://e.org', max_length: 1000000 }, { url: 'https://e.org', start_index: -1 }],
  ),
  tool(
    'git: git_log',
    {
      properties: {
        repo_path: text,
        max_count: { default: 10, type: 'integer' },
        start_timestamp: { anyOf: [text, { type: 'null' }], default: null },
        end_timestamp: { anyOf: [text, { type: 'null' }], default: null },
      },
      required: ['repo_path'],
      type: 'object',
    },
    [{ repo_path: '.', max_count: 3, start_timestamp: null }],
    [{ max_count: 3 }, { repo_path: '.', start_timestamp: 1 }],
  ),
  tool(
    'git: git_add',
    { properties: { repo_path: text, files: texts }, required: ['repo_path', 'files'], type: 'object' },
    [{ repo_path: '.', files: ['a'] }],
    [{ repo_path: '.', files: 'a' }],
  ),
  tool(
    'memory: create_entities',
    strict({ entities: { type: 'array', items: strict({ name: text, entityType: text, observations: texts }) } }),
    [{ entities: [{ name: 'A', entityType: 'person', observations: ['x'] }] }],
    [{ entities: [{ name: 'A' }] }],
  ),
  tool(
    'memory: delete_relations',
    strict({ relations: { type: 'array', items: strict({ from: text, to: text, relationType: text }) } }),
    [{ relations: [] }, { relations: [{ from: 'a', to: 'b', relationType: 'c' }] }],
    [{}],
  ),
  tool(
    'sequential-thinking',
    open(
      {
        thought: text,
        nextThoughtNeeded: flag,
        thoughtNumber: { type: 'integer', minimum: 1 },
        totalThoughts: { type: 'integer', minimum: 1 },
        isRevision: flag,
        revisesThought: { type: 'integer', minimum: 1 },
        branchId: text,
      },
      ['thought', 'nextThoughtNeeded', 'thoughtNumber', 'totalThoughts'],
    ),
    [{ thought: 'x', nextThoughtNeeded: true, thoughtNumber: 1, totalThoughts: 3, branchId: 'b' }],
    [{ thought: 'x', nextThoughtNeeded: true, thoughtNumber: 0, totalThoughts: 3 }],
  ),
  tool(
    'time: convert_time',
    open({ source_timezone: text, time: { type: 'string', description: '24-hour HH:MM' }, target_timezone: text }),
    [{ source_timezone: 'Europe/Berlin', time: '14:30', target_timezone: 'UTC' }],
    [{ time: '14:30' }],
  ),
  tool(
    'github: create_or_update_file',
    open({ owner: text, repo: text, path: text, content: text, message: text, branch: text, sha: text }, [
      'owner',
      'repo',
      'path',
      'content',
      'message',
      'branch',
    ]),
    [{ owner: 'o', repo: 'r', path: 'p', content: 'c', message: 'm', branch: 'b' }],
    [{ owner: 'o' }],
  ),
  tool(
    'github: list_issues',
    open(
      {
        owner: text,
        repo: text,
        state: { type: 'string', enum: ['OPEN', 'CLOSED'] },
        labels: texts,
        orderBy: { type: 'string', enum: ['CREATED_AT', 'UPDATED_AT', 'COMMENTS'] },
        direction: { type: 'string', enum: ['ASC', 'DESC'] },
        perPage: { type: 'number', minimum: 1, maximum: 100 },
        since: { type: 'string', description: 'ISO 8601' },
      },
      ['owner', 'repo'],
    ),
    [
      { owner: 'o', repo: 'r', state: 'OPEN', perPage: 100 },
      { owner: 'o', repo: 'r' },
    ],
    [
      { owner: 'o', repo: 'r', perPage: 101 },
      { owner: 'o', repo: 'r', state: 'open' },
    ],
  ),
  tool(
    'github: push_files',
    open({
      owner: text,
      repo: text,
      branch: text,
      files: { type: 'array', items: { ...open({ path: text, content: text }), additionalProperties: false } },
      message: text,
    }),
    [{ owner: 'o', repo: 'r', branch: 'b', files: [{ path: 'p', content: 'c' }], message: 'm' }],
    [{ owner: 'o', repo: 'r', branch: 'b', files: [{ path: 'p' }], message: 'm' }],
  ),
  tool(
    'github: pull_request_review_write',
    open(
      {
        method: { type: 'string', enum: ['create', 'submit_pending', 'delete_pending'] },
        owner: text,
        repo: text,
        pullNumber: number,
        event: { type: 'string', enum: ['APPROVE', 'REQUEST_CHANGES', 'COMMENT'] },
      },
      ['method', 'owner', 'repo', 'pullNumber'],
    ),
    [{ method: 'create', owner: 'o', repo: 'r', pullNumber: 7, event: 'COMMENT' }],
    [{ method: 'x', owner: 'o', repo: 'r', pullNumber: 7 }],
  ),
  tool(
    'playwright: browser_click',
    strict(
      {
        element: text,
        ref: text,
        doubleClick: flag,
        button: { type: 'string', enum: ['left', 'right', 'middle'] },
        modifiers: {
          type: 'array',
          items: { type: 'string', enum: ['Alt', 'Control', 'ControlOrMeta', 'Meta', 'Shift'] },
        },
      },
      ['element', 'ref'],
    ),
    [{ element: 'Button', ref: 'e1', modifiers: ['Alt', 'Shift'] }],
    [{ element: 'Button' }, { element: 'b', ref: 'e', modifiers: ['Ctrl'] }],
  ),
  tool(
    'playwright: browser_fill_form',
    strict({
      fields: {
        type: 'array',
        items: strict({
          name: text,
          type: { type: 'string', enum: ['textbox', 'checkbox', 'radio', 'combobox', 'slider'] },
          ref: text,
          value: text,
        }),
      },
    }),
    [{ fields: [{ name: 'n', type: 'slider', ref: 'e1', value: '3' }] }],
    [{ fields: [{ name: 'n', type: 'text', ref: 'e1', value: '3' }] }],
  ),
  tool('playwright: browser_snapshot', strict({}), [{}], [{ a: 1 }]),
  tool(
    'brave-search: brave_web_search',
    open(
      {
        query: { type: 'string', description: 'max 400 chars' },
        count: { type: 'number', default: 10 },
        offset: { type: 'number' },
      },
      ['query'],
    ),
    [{ query: 'x', count: 3 }],
    [{ count: 3 }],
  ),
  tool(
    'slack: conversations_add_message',
    open(
      {
        channel_id: text,
        thread_ts: { type: 'string', pattern: '^\\d{10}\\.\\d{6}$' },
        payload: text,
        content_type: { type: 'string', enum: ['text/markdown', 'text/plain'], default: 'text/markdown' },
      },
      ['channel_id'],
    ),
    [{ channel_id: 'C1', thread_ts: '1234567890.123456', payload: 'x' }],
    [{ channel_id: 'C1', thread_ts: '123' }],
  ),
  tool('sqlite: write_query', open({ query: text }), [{ query: 'SELECT "a"\nFROM b' }], [{}]),
  tool(
    'notion: search',
    strict(
      {
        query: text,
        filter: {
          type: 'object',
          properties: { property: { const: 'object' }, value: { enum: ['page', 'database'] } },
          required: ['property', 'value'],
          additionalProperties: false,
        },
        page_size: { type: 'integer', minimum: 1, maximum: 100 },
        sort: {
          type: 'object',
          properties: { direction: { enum: ['ascending', 'descending'] }, timestamp: { enum: ['last_edited_time'] } },
        },
      },
      [],
    ),
    [{}, { filter: { property: 'object', value: 'page' }, page_size: 100 }],
    [{ filter: { property: 'object' } }, { page_size: 0 }],
  ),
  tool(
    'context7: get-library-docs',
    strict(
      {
        context7CompatibleLibraryID: text,
        topic: text,
        tokens: { anyOf: [number, { type: 'string', pattern: '^\\d+$' }] },
      },
      ['context7CompatibleLibraryID'],
    ),
    [
      { context7CompatibleLibraryID: '/a/b', tokens: 100 },
      { context7CompatibleLibraryID: '/a/b', tokens: '100' },
    ],
    [{ context7CompatibleLibraryID: '/a/b', tokens: 'x' }],
  ),
  tool(
    'firecrawl: scrape',
    strict(
      {
        url: { type: 'string', format: 'uri' },
        formats: {
          type: 'array',
          items: {
            anyOf: [
              { type: 'string', enum: ['markdown', 'html', 'links'] },
              strict(
                {
                  type: { type: 'string', const: 'json' },
                  prompt: text,
                  schema: { type: 'object', additionalProperties: {} },
                },
                ['type'],
              ),
            ],
          },
        },
        headers: { type: 'object', additionalProperties: text },
        waitFor: number,
      },
      ['url'],
    ),
    [
      {
        url: 'https://a.b',
        formats: ['html', { type: 'json', schema: { type: 'object', x: [1] } }],
        headers: { 'X-A': 'b' },
      },
    ],
    [
      { url: 'https://a.b', formats: ['pdf'] },
      { url: 'https://a.b', headers: { a: 1 } },
    ],
  ),
  tool(
    'linear: create_issue',
    strict(
      {
        title: text,
        team: text,
        priority: { type: 'number', minimum: 0, maximum: 4 },
        labels: texts,
        dueDate: { type: 'string', format: 'date' },
        assignee: { type: ['string', 'null'] },
      },
      ['title', 'team'],
    ),
    [{ title: 't', team: 'x', priority: 4, dueDate: '2025-01-31', assignee: null }],
    [
      { title: 't', team: 'x', priority: 5 },
      { title: 't', team: 'x', dueDate: 'tomorrow' },
    ],
  ),
  tool(
    'Claude Code: Bash',
    strict(
      { command: text, timeout: { type: 'number', maximum: 600000 }, description: text, run_in_background: flag },
      ['command'],
    ),
    [{ command: 'ls -la "x"', timeout: 600000 }],
    [{ command: 'ls', timeout: 600001 }, { description: 'x' }],
  ),
  tool(
    'Claude Code: Read',
    strict(
      {
        file_path: text,
        offset: { type: 'integer', minimum: 0, maximum: 9007199254740991 },
        limit: { type: 'integer', exclusiveMinimum: 0, maximum: 9007199254740991 },
        pages: text,
      },
      ['file_path'],
    ),
    [
      { file_path: '/a', offset: 0, limit: 1 },
      { file_path: '/a', limit: 9007199254740991 },
    ],
    [
      { file_path: '/a', limit: 0 },
      { file_path: '/a', offset: -1 },
    ],
  ),
  tool(
    'Claude Code: Edit',
    strict({ file_path: text, old_string: text, new_string: text, replace_all: { type: 'boolean', default: false } }, [
      'file_path',
      'old_string',
      'new_string',
    ]),
    [{ file_path: '/a', old_string: 'a', new_string: 'b\n\t"c"' }],
    [{ file_path: '/a', old_string: 'a' }],
  ),
  tool(
    'Claude Code: Grep',
    strict(
      {
        pattern: text,
        path: text,
        glob: text,
        output_mode: { type: 'string', enum: ['content', 'files_with_matches', 'count'] },
        '-B': number,
        '-A': number,
        '-C': number,
        '-n': flag,
        '-i': flag,
        type: text,
        head_limit: number,
        multiline: flag,
      },
      ['pattern'],
    ),
    [
      { pattern: 'a|b', output_mode: 'count', '-i': true },
      { pattern: 'x', '-A': 3, '-n': true, multiline: false },
    ],
    [{ pattern: 'a', output_mode: 'lines' }],
  ),
  tool(
    'Claude Code: TodoWrite',
    strict({ todos: { type: 'array', items: todo } }),
    [{ todos: [{ content: 'a', status: 'pending', activeForm: 'b' }] }, { todos: [] }],
    [
      { todos: [{ content: '', status: 'pending', activeForm: 'b' }] },
      { todos: [{ content: 'a', status: 'done', activeForm: 'b' }] },
    ],
  ),
  tool(
    'Claude Code: AskUserQuestion',
    strict(
      {
        questions: {
          type: 'array',
          minItems: 1,
          maxItems: 4,
          items: strict({
            question: text,
            header: text,
            options: { type: 'array', minItems: 2, maxItems: 4, items: strict({ label: text, description: text }) },
            multiSelect: flag,
          }),
        },
        answers: { type: 'object', propertyNames: text, additionalProperties: text },
      },
      ['questions'],
    ),
    [
      {
        questions: [
          {
            question: 'q',
            header: 'h',
            options: [
              { label: 'a', description: 'b' },
              { label: 'c', description: 'd' },
            ],
            multiSelect: false,
          },
        ],
      },
    ],
    [
      { questions: [] },
      { questions: [{ question: 'q', header: 'h', options: [{ label: 'a', description: 'b' }], multiSelect: false }] },
    ],
  ),
  tool(
    'Claude Code: WebSearch',
    strict({ query: { type: 'string', minLength: 2 }, allowed_domains: texts, blocked_domains: texts }, ['query']),
    [{ query: 'ab', allowed_domains: ['x'] }],
    [{ query: 'a' }],
  ),
  tool(
    'Claude Code: NotebookEdit',
    strict(
      {
        notebook_path: text,
        cell_id: text,
        new_source: text,
        cell_type: { type: 'string', enum: ['code', 'markdown'] },
        edit_mode: { type: 'string', enum: ['replace', 'insert', 'delete'] },
      },
      ['notebook_path', 'new_source'],
    ),
    [{ notebook_path: '/a', new_source: '', edit_mode: 'delete' }],
    [{ notebook_path: '/a' }],
  ),
  tool(
    'Codex: shell',
    strict(
      { command: texts, workdir: text, timeout_ms: number, with_escalated_permissions: flag, justification: text },
      ['command'],
    ),
    [{ command: ['bash', '-lc', 'ls'], timeout_ms: 1000 }],
    [{ command: 'ls' }],
  ),
  tool(
    'Codex: update_plan',
    strict(
      {
        explanation: text,
        plan: {
          type: 'array',
          items: strict({
            step: text,
            status: { type: 'string', description: 'One of: pending, in_progress, completed' },
          }),
        },
      },
      ['plan'],
    ),
    [{ plan: [{ step: 'a', status: 'pending' }] }],
    [{ explanation: 'x' }, { plan: [{ step: 'a' }] }],
  ),
  tool(
    'Gemini CLI: replace',
    open(
      { file_path: text, old_string: text, new_string: text, expected_replacements: { type: 'number', minimum: 1 } },
      ['file_path', 'old_string', 'new_string'],
    ),
    [{ file_path: 'a', old_string: 'b', new_string: 'c', expected_replacements: 2 }],
    [{ file_path: 'a', old_string: 'b', new_string: 'c', expected_replacements: 0 }],
  ),
  tool(
    'OpenHands: str_replace_editor',
    open(
      {
        command: {
          description: 'what to do',
          enum: ['view', 'create', 'str_replace', 'insert', 'undo_edit'],
          type: 'string',
        },
        path: text,
        file_text: text,
        old_str: text,
        new_str: text,
        insert_line: whole,
        view_range: { items: { type: 'integer' }, type: 'array' },
      },
      ['command', 'path'],
    ),
    [{ command: 'view', path: '/a', view_range: [1, -1] }],
    [{ command: 'open', path: '/a' }],
  ),
  tool(
    'Cline: ask_followup_question',
    strict({
      question: text,
      follow_up: {
        type: 'array',
        items: strict({ text, mode: { type: ['string', 'null'] } }),
        minItems: 1,
        maxItems: 4,
      },
    }),
    [{ question: 'q', follow_up: [{ text: 'a', mode: null }] }],
    [{ question: 'q', follow_up: [] }],
  ),
  tool(
    'Home Assistant: HassTurnOn',
    open(
      {
        name: text,
        area: text,
        domain: { type: 'array', items: text },
        device_class: { type: 'array', items: { type: 'string', enum: ['awning', 'blind', 'curtain'] } },
      },
      [],
    ),
    [{}, { area: 'Kitchen', domain: ['light'] }],
    [{ device_class: ['door'] }],
  ),
  tool(
    'OpenAPI style: nullable and int32',
    open(
      {
        id: { type: 'integer', format: 'int32', nullable: true },
        price: { type: 'number', format: 'double', minimum: 0 },
        created: { type: 'string', format: 'date-time' },
      },
      ['id'],
    ),
    [
      { id: null, price: 1.5 },
      { id: 3, created: '2025-01-01T00:00:00Z' },
    ],
    [{ id: 'x' }, { id: 1, price: -1 }],
  ),
  tool(
    'Pydantic: optional fields with $defs',
    {
      $defs: {
        Color: { enum: ['red', 'green'], title: 'Color', type: 'string' },
        Address: {
          properties: { street: text, zip: { pattern: '^\\d{5}$', type: 'string' } },
          required: ['street'],
          title: 'Address',
          type: 'object',
        },
      },
      properties: {
        name: { title: 'Name', type: 'string' },
        color: { $ref: '#/$defs/Color', default: 'red' },
        address: { anyOf: [{ $ref: '#/$defs/Address' }, { type: 'null' }], default: null },
      },
      required: ['name'],
      title: 'Order',
      type: 'object',
    },
    [
      { name: 'a', color: 'red', address: { street: 's', zip: '12345' } },
      { name: 'a', address: null },
    ],
    [
      { name: 'a', color: 'blue' },
      { name: 'a', address: { street: 's', zip: '1' } },
    ],
  ),
];
