// GET /schemas/{file}: profiles and mappings as JSON Schema, by which editors check and complete them. They are made of
// the very schemas that check a PUT; examples/profiles has them as files.
import type { Context } from 'hono'
import * as z from 'zod'
import { mappingDocument, profileDocument } from '../mapping/profile-document'
import type { AppEnv } from './environment'
import { unknownPath } from './scim'

const MAX_AGE_SECONDS = 3_600

const documents: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['profile.schema.json', profileDocument],
  ['mapping.schema.json', mappingDocument],
])

export const schemaFiles: readonly string[] = [...documents.keys()]

/** The text of the file; undefined for a name that there is not. */
export function schemaFile(name: string): string | undefined {
  const document = documents.get(name)
  return document && `${JSON.stringify(z.toJSONSchema(document, { io: 'input' }), null, 2)}\n`
}

/** Nothing in them is anybody's: no credential is asked for, and an editor in a browser may read them. */
export function documentSchema(c: Context<AppEnv>): Response {
  const text = schemaFile(c.req.param('file') ?? '')
  if (text === undefined) return unknownPath(c.req.path)
  return new Response(text, {
    headers: {
      'content-type': 'application/schema+json',
      'cache-control': `public, max-age=${MAX_AGE_SECONDS}`,
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    },
  })
}
