import { type Vocabulary, vocabularyType } from '../native/vocabulary.ts';

/** Characters that may go before a piece. */
export const longestMark = 3;

/** What stands before a piece of a text. */
export interface PieceBefore {
  readonly text: string;
  /** Its last token. */
  readonly token: number | undefined;
}

/**
 * The tokens of a piece that goes on after another. SentencePiece vocabularies invent a space before every text: it is cut
 * off with a mark that stands before the piece.
 */
export function tokenizeLater(vocabulary: Vocabulary, text: string, special: boolean, before: PieceBefore): Int32Array {
  switch (vocabulary.type) {
    case vocabularyType.sentencePiece:
      return behind('\n', vocabulary, text, special);
    case vocabularyType.unigram:
      return tokenizeUnigram(vocabulary, text, special, before);
    default:
      return vocabulary.tokenize(text, special);
  }
}

function behind(mark: string, vocabulary: Vocabulary, text: string, special: boolean): Int32Array {
  return vocabulary.tokenize(mark + text, special).subarray(vocabulary.tokenize(mark, false).length);
}

/** No character, so that it is unknown and no token goes on after it. Line breaks are spaces in these vocabularies. */
const unknownMark = '\u{10FFFE}';

/** Unigram: spaces at the end of a text are lost, and several unknown characters become one token, the mark with them. */
function tokenizeUnigram(vocabulary: Vocabulary, text: string, special: boolean, before: PieceBefore): Int32Array {
  const mark = vocabulary.tokenize(unknownMark, false);
  if (/\s$/.test(before.text) && losesSpaces(vocabulary)) {
    return vocabulary.tokenize(`${unknownMark} ${text}`, special).subarray(mark.length);
  }
  const unknown = mark.at(-1);
  const [first = ''] = text;
  const joinsMark = !/\s/.test(first) && vocabulary.tokenize(first, false).at(-1) === unknown;
  const isOwn = joinsMark && before.token !== unknown;
  return vocabulary.tokenize(unknownMark + text, special).subarray(mark.length - (isOwn ? 1 : 0));
}

function losesSpaces(vocabulary: Vocabulary): boolean {
  return vocabulary.tokenize('a ', false).length === vocabulary.tokenize('a', false).length;
}
