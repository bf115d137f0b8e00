import { describe, expect, it } from 'vitest';
import { parseRerank, writeRerank } from '../../../src/dialects/rerank/rerank.ts';

describe('/v1/rerank', () => {
  const ranking = { model: 'ranker', scores: [0.25, 0.75, 0.25], tokens: 30 };

  it('takes documents as texts and as objects', () => {
    expect(parseRerank({ query: 'q', documents: ['a', { text: 'b', title: 'x' }], top_n: 5, model: 'm' })).toEqual({
      model: 'm',
      query: 'q',
      documents: ['a', 'b'],
      top: 2,
      returnDocuments: false,
    });
  });

  it('sorts the best first and keeps the order of equal ones', () => {
    const call = parseRerank({ query: 'q', documents: ['a', 'b', 'c'] });
    expect(writeRerank(call, '1', ranking)).toEqual({
      id: 'rerank-1',
      object: 'list',
      model: 'ranker',
      results: [
        { index: 1, relevance_score: 0.75 },
        { index: 0, relevance_score: 0.25 },
        { index: 2, relevance_score: 0.25 },
      ],
      usage: { prompt_tokens: 30, total_tokens: 30 },
    });
  });

  it('gives only the best, with their texts, when asked', () => {
    const call = parseRerank({ query: 'q', documents: ['a', { text: 'b' }, 'c'], top_n: 1, return_documents: true });
    expect(writeRerank(call, '1', ranking).results).toEqual([
      { index: 1, relevance_score: 0.75, document: { text: 'b' } },
    ]);
  });

  it.each([
    [{ documents: ['a'] }, 'query'],
    [{ query: '', documents: ['a'] }, 'query'],
    [{ query: 'q', documents: [] }, 'documents'],
    [{ query: 'q', documents: ['a', ''] }, 'documents[1]'],
    [{ query: 'q', documents: [{ body: 'a' }] }, 'documents[0].text'],
    [{ query: 'q', documents: ['a'], top_n: 0 }, 'top_n'],
  ])('refuses %j', (body, param) => {
    expect(() => parseRerank(body)).toThrow(expect.objectContaining({ code: 'invalid_request', details: { param } }));
  });
});
