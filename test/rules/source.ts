// Reads source text for the architecture rules: what is code, what is comment, what is imported.
import { posix } from 'node:path'

export interface SourceFile {
  /** From the repository's root, with slashes: `src/scim/patch.ts`. */
  readonly path: string
  readonly text: string
}

export interface Import {
  /** As written. */
  readonly specifier: string
  /** The path it leads to, without extension, for a relative one: `src/scim/patch`. */
  readonly target: string | undefined
}

/** Comments, then strings, then regular expressions where an expression may begin; what is left over is code. */
const PIECES = new RegExp(
  [
    String.raw`(?<comment>//[^\n]*|/\*[^]*?\*/)`,
    String.raw`(?<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")`,
    String.raw`(?<template>\x60(?:[^\x60\\]|\\[^])*\x60)`,
    String.raw`(?<=[(,=:[!&|?{};\n]\s*|\breturn\s+)(?<regex>/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*)`,
  ].join('|'),
  'g',
)

/** The text without its comments; strings stay. */
export function withoutComments(text: string): string {
  return text.replace(PIECES, (piece, ...rest) => (groupsOf(rest).comment ? blank(piece) : piece))
}

/** The code alone: no comments, no contents of strings or regular expressions. A template's `${…}` is code. */
export function codeOf(text: string): string {
  return text.replace(PIECES, (piece, ...rest) =>
    groupsOf(rest).template ? substitutions(piece) : blank(piece),
  )
}

/** Every `import` and `export … from`, those of types included. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const statements = withoutComments(text).matchAll(
    /^\s*(?:import|export)\s(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  )
  return [...statements].map(([, statically, dynamically]) => {
    const specifier = statically ?? dynamically ?? ''
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined
    return { specifier, target: target?.replace(/\.(ts|tsx|js|mjs)$/, '') }
  })
}

/** `src/scim/patch.ts` → `src/scim/patch`, as imports name it. */
export function moduleName(path: string): string {
  return path.replace(/\.(ts|tsx|mjs)$/, '')
}

function substitutions(template: string): string {
  const kept = [...template.matchAll(/\$\{([^{}]*)\}/g)].map(([, code]) => code)
  return `\`${kept.join(' ')}\``
}

function groupsOf(replaceArguments: readonly unknown[]): { comment?: string; template?: string } {
  return replaceArguments.at(-1) as { comment?: string; template?: string }
}

/** Keeps the lines, so that what stands at the start of one still does. */
function blank(piece: string): string {
  return piece.replace(/[^\n]/g, ' ')
}
