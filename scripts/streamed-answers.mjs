// A server before the server: all but answers of chats is passed on; answers come from here, at a rate that is kept.
import { once } from 'node:events';
import { createServer, request } from 'node:http';

const tickMs = 2;

/**
 * Every answer has the tokens that `tokensOf(question)` gives, a chunk for each, `rate` of them a second.
 * Returns its address, and how it is ended.
 */
export async function streamAnswers(target, { rate, tokensOf }) {
  const server = createServer((asked, answer) => {
    if (asked.method === 'POST' && asked.url === '/v1/chat/completions') void stream(asked, answer);
    else pass(asked, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  function pass(asked, answer) {
    const { method, headers, url } = asked;
    const passed = request(new URL(url, target), { method, headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  }

  async function stream(asked, answer) {
    const parts = [];
    for await (const part of asked) parts.push(part);
    const { messages } = JSON.parse(Buffer.concat(parts).toString());
    const tokens = tokensOf(messages.at(-1).content);
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const began = performance.now();
    for (let sent = 0; sent < tokens.length && !answer.destroyed; ) {
      const due = Math.min(tokens.length, Math.floor(((performance.now() - began) / 1000) * rate));
      for (; sent < due; sent++) answer.write(chunk({ content: tokens[sent] }));
      await new Promise((next) => setTimeout(next, tickMs));
    }
    answer.write(chunk({}, 'stop'));
    answer.end(`${lastChunk(tokens.length)}data: [DONE]\n\n`);
  }
}

function event(rest) {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', model: 'serve-model-demo', ...rest })}\n\n`;
}

function chunk(delta, finish = null) {
  return event({ choices: [{ index: 0, delta, finish_reason: finish }] });
}

function lastChunk(count) {
  const usage = { prompt_tokens: 20, completion_tokens: count };
  const timings = { queue_ms: 0, prompt_ms: 9, prompt_per_second: 2000, predicted_ms: 2 * count };
  return event({ choices: [], usage, timings: { ...timings, predicted_per_second: 500 } });
}
