// A resource with a text of one's own at each of some paths: what a template for an identity provider is made of.
import { ScimError } from '../scim/error'
import { Interop } from '../scim/interop'
import { applyPatch } from '../scim/patch'
import { PATCH_OP_SCHEMA, readPatchOp } from '../scim/patch-op'
import type { Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'

/** By path its text; a path at which no text can stand is left out. */
export function exampleResource(texts: ReadonlyMap<string, string>, type: ResourceType): Resource {
  const schemas = [type.schema.id]
  let resource: Resource = {}
  for (const [path, text] of texts) resource = withText(resource, path, text, type) ?? resource
  for (const { schema } of type.extensions) if (schema.id in resource) schemas.push(schema.id)
  return { schemas, ...resource }
}

/** As a PATCH would put it there: an element that a filter asks for is made. */
function withText(resource: Resource, path: string, text: string, type: ResourceType): Resource | undefined {
  const [list = path, subAttribute = ''] = path.split('.')
  const attempts = [
    { op: 'add', path, value: text },
    { op: 'add', path: list, value: [{ [subAttribute]: text }] },
  ]
  for (const operation of attempts) {
    const interop = new Interop('compat')
    try {
      const steps = readPatchOp({ schemas: [PATCH_OP_SCHEMA], Operations: [operation] }, type, interop)
      return applyPatch(resource, steps, type, interop).resource
    } catch (error) {
      if (!(error instanceof ScimError)) throw error
    }
  }
  return undefined
}
