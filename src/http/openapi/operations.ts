import type { z } from 'zod';
import { requestSchema as messagesBody } from '../../dialects/anthropic-messages/schema.ts';
import { appendBody, createChatBody, importBody } from '../../dialects/chats/requests.ts';
import { loadBody, unloadBody } from '../../dialects/control/requests.ts';
import { embeddingsBody } from '../../dialects/embeddings/openai.ts';
import { infillBody } from '../../dialects/infill/request.ts';
import { completionBody } from '../../dialects/llama-cpp/completion.ts';
import { controlBody } from '../../dialects/llama-cpp/control.ts';
import { decision } from '../../dialects/mcp/mcp.ts';
import { chatBody as ollamaChatBody, generateBody as ollamaGenerateBody } from '../../dialects/ollama/request.ts';
import { describedChatBody } from '../../dialects/openai-chat/request.ts';
import { completionsBody } from '../../dialects/openai-completions/request.ts';
import { responsesBody } from '../../dialects/openai-responses/body.ts';
import { rerankBody } from '../../dialects/rerank/rerank.ts';
import { studioBody } from '../../dialects/studio-generate/request.ts';
import { tgiBody } from '../../dialects/tgi/request.ts';

export interface Operation {
  readonly group: 'OpenAI' | 'Anthropic' | 'Ollama' | 'Older forms' | 'Text tools' | 'Models' | 'Chats' | 'Operations';
  readonly summary: string;
  /** The very schema that requests are checked with. */
  readonly body?: z.ZodType;
}

/** Method and first path of a route -> what it is for. */
export const operations: Readonly<Record<string, Operation>> = {
  'POST /v1/chat/completions': {
    group: 'OpenAI',
    summary: 'Answer a chat, whole or as a stream',
    body: describedChatBody,
  },
  'POST /v1/chat/completions/:id/cancel': { group: 'OpenAI', summary: 'End one answer now, with what there is' },
  'POST /v1/chat/completions/control': {
    group: 'OpenAI',
    summary: 'Answer now: end the thought of an answer that is being written',
    body: controlBody,
  },
  'POST /v1/chat/completions/input_tokens': {
    group: 'OpenAI',
    summary: 'Count the tokens of a chat',
    body: describedChatBody,
  },
  'POST /v1/responses': { group: 'OpenAI', summary: 'Answer in the form of the Responses API', body: responsesBody },
  'POST /v1/responses/input_tokens': {
    group: 'OpenAI',
    summary: 'Count the tokens of a response',
    body: responsesBody,
  },
  'GET /v1/responses/:id': { group: 'OpenAI', summary: 'A kept response' },
  'DELETE /v1/responses/:id': { group: 'OpenAI', summary: 'Forget a kept response' },
  'POST /v1/responses/:id/cancel': { group: 'OpenAI', summary: 'End a response in the background' },
  'GET /v1/responses/:id/input_items': { group: 'OpenAI', summary: 'The input of a kept response' },
  'POST /v1/completions': { group: 'OpenAI', summary: 'Continue a text', body: completionsBody },
  'GET /api/mcp': { group: 'Operations', summary: 'The servers of tools, what they do and what they have' },
  'POST /api/mcp/calls/:id': {
    group: 'Operations',
    summary: 'Allow or deny a call that waits for a person',
    body: decision,
  },
  'POST /api/mcp/:server/restart': { group: 'Operations', summary: 'Start a server of tools anew' },
  'POST /v1/embeddings': { group: 'OpenAI', summary: 'Vectors of texts', body: embeddingsBody },
  'POST /v1/rerank': { group: 'OpenAI', summary: 'Sort documents by their relevance to a query', body: rerankBody },
  'GET /v1/models': { group: 'OpenAI', summary: 'The loaded models; in Anthropic’s form with anthropic-version' },
  'GET /v1/models/:id{.+}': { group: 'OpenAI', summary: 'One loaded model' },
  'POST /v1/messages': { group: 'Anthropic', summary: 'Answer in the form of the Messages API', body: messagesBody },
  'POST /v1/messages/count_tokens': {
    group: 'Anthropic',
    summary: 'Count the tokens of a message',
    body: messagesBody,
  },
  'POST /api/chat': { group: 'Ollama', summary: 'Answer a chat, as NDJSON', body: ollamaChatBody },
  'POST /api/generate': { group: 'Ollama', summary: 'Continue a prompt, as NDJSON', body: ollamaGenerateBody },
  'GET /api/tags': { group: 'Ollama', summary: 'The loaded models' },
  'GET /api/ps': { group: 'Ollama', summary: 'The running models' },
  'POST /api/show': { group: 'Ollama', summary: 'What a model is' },
  'POST /api/embed': { group: 'Ollama', summary: 'Vectors of texts' },
  'POST /completion': {
    group: 'Older forms',
    summary: 'Continue a text in the form of llama.cpp',
    body: completionBody,
  },
  'POST /infill': { group: 'Older forms', summary: 'Fill in the middle, as editors ask for it', body: infillBody },
  'POST /generate': { group: 'Older forms', summary: 'Continue a text in the form of TGI', body: tgiBody },
  'POST /generate_stream': { group: 'Older forms', summary: 'The same as a stream', body: tgiBody },
  'POST /generate/stream': { group: 'Older forms', summary: 'A chat as a stream of texts', body: studioBody },
  'POST /tokenize': { group: 'Text tools', summary: 'Text or chat to tokens' },
  'POST /detokenize': { group: 'Text tools', summary: 'Tokens to text' },
  'POST /apply-template': { group: 'Text tools', summary: 'The prompt of a chat as text' },
  'POST /api/inference/cancel': {
    group: 'Models',
    summary: 'Stop buttons: end runs by cancel_id, session_id or answer id',
  },
  'GET /api/runs': { group: 'Models', summary: 'Resumable answers: those that run, and those that ended just now' },
  'GET /api/runs/:id': { group: 'Models', summary: 'The events of one, from a number on, as they come' },
  'POST /api/inference/load': { group: 'Models', summary: 'Load a model', body: loadBody },
  'POST /api/inference/unload': { group: 'Models', summary: 'Unload a model', body: unloadBody },
  'POST /api/inference/validate': { group: 'Models', summary: 'Would it load, and would it fit?' },
  'GET /api/inference/status': { group: 'Models', summary: 'What is loaded, with all its properties' },
  'GET /api/inference/load-progress': { group: 'Models', summary: 'How far a load is' },
  'GET /api/inference/events': { group: 'Models', summary: 'Progress, models and slots as a stream of events' },
  'GET /api/inference/models': { group: 'Models', summary: 'The models on this machine' },
  'GET /api/chats': { group: 'Chats', summary: 'The kept chats, or those that hold some words' },
  'POST /api/chats': { group: 'Chats', summary: 'Begin a chat', body: createChatBody },
  'GET /api/chats/:id': { group: 'Chats', summary: 'What was said in a chat, from a revision on' },
  'DELETE /api/chats/:id': { group: 'Chats', summary: 'Put a chat into the bin, or delete it for ever' },
  'DELETE /api/chats/bin': { group: 'Chats', summary: 'Delete for ever what is in the bin' },
  'POST /api/chats/:id/restore': { group: 'Chats', summary: 'Take a chat out of the bin' },
  'POST /api/chats/:id/entries': { group: 'Chats', summary: 'Add to a chat', body: appendBody },
  'GET /api/chats/export': { group: 'Chats', summary: 'All chats in one JSON' },
  'POST /api/chats/import': { group: 'Chats', summary: 'Add the chats of an export', body: importBody },
  'POST /api/chats/files/:sha256': { group: 'Chats', summary: 'Keep a file that messages refer to' },
  'GET /api/chats/files/:sha256': { group: 'Chats', summary: 'A kept file' },
  'GET /api/chats/events': { group: 'Chats', summary: 'Changes of chats as a stream of events' },
  'GET /api/hub/search': { group: 'Models', summary: 'Look for models on the hub' },
  'GET /api/hub/repos/:owner/:repo': { group: 'Models', summary: 'What a repository holds, and whether it fits' },
  'GET /props': { group: 'Models', summary: 'The default model and its settings, in the form of llama.cpp' },
  'GET /slots': { group: 'Models', summary: 'What the slots do, in the form of llama.cpp' },
  'GET /api/v0/models': { group: 'Models', summary: 'All models, in the older form of LM Studio' },
  'GET /api/v0/models/:id{.+}': { group: 'Models', summary: 'One of them' },
  'GET /api/v1/models': { group: 'Models', summary: 'All models, in the form of LM Studio' },
  'GET /health': { group: 'Operations', summary: '200 while a model is loaded and the server is not draining' },
  'GET /healthz': { group: 'Operations', summary: '200 as long as the process runs' },
  'GET /api/ui/config': { group: 'Operations', summary: 'What a page may do here, and whether it needs a key' },
  'GET /metrics': { group: 'Operations', summary: 'Prometheus metrics' },
  'GET /internal/stats': { group: 'Operations', summary: 'Slots, queue, cache, threads, versions' },
  'GET /internal/models/raw': { group: 'Operations', summary: 'Metadata of the model files' },
  'GET /internal/usage': { group: 'Operations', summary: 'What each key has used, by its name' },
  'GET /internal/requests': { group: 'Operations', summary: 'Requests that are being worked on' },
  'DELETE /internal/requests/:id': { group: 'Operations', summary: 'End one of them' },
};
