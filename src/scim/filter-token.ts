// The tokens of a filter or a PATCH path (RFC 7644 §3.4.2.2, Figure 1), cut in one pass.
// Words are told apart by where they stand, so an attribute may be called `notes` or even `eq`.

export interface Token {
  readonly kind: 'word' | 'string' | '(' | ')' | '[' | ']' | 'end' | 'bad'
  readonly text: string
  /** Index of its first character in the whole text. */
  readonly start: number
  /** What a string stands for, its escapes read; for a bad token, what is wrong with it. */
  readonly value: string
}

/** No alternative can match what another does, so the pattern never goes back over the text. */
const pattern = /[ \t\r\n]*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^ \t\r\n()[\]"]+)|(".*))/gsy

export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (const match of text.matchAll(pattern)) {
    const [all, bracket, string, word, unterminated] = match
    const found = bracket ?? string ?? word ?? unterminated ?? ''
    const start = match.index + all.length - found.length
    if (bracket) tokens.push({ kind: bracket as '(' | ')' | '[' | ']', text: found, start, value: found })
    else if (string) tokens.push(stringToken(found, start))
    else if (word) tokens.push({ kind: 'word', text: found, start, value: found })
    else tokens.push({ kind: 'bad', text: found, start, value: 'a string without its closing double quote' })
  }
  tokens.push({ kind: 'end', text: '', start: text.length, value: 'the end' })
  return tokens
}

/** A JSON string literal; NUL and lone surrogates are refused because SQLite would not compare them as we do. */
function stringToken(text: string, start: number): Token {
  const value = parseString(text)
  if (value === undefined)
    return {
      kind: 'bad',
      text,
      start,
      value: 'a string with an escape or control character that JSON forbids',
    }
  if (value.includes('\0') || !value.isWellFormed())
    return { kind: 'bad', text, start, value: 'a string with a character that is not text' }
  return { kind: 'string', text, start, value }
}

function parseString(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
