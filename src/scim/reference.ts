// References to other resources: which attributes refer to one, what a URI names, and which URIs are equal.
import { type Attribute, subAttribute } from './attribute'
import type { AttributePath } from './attribute-path'
import type { Json } from './json'
import { type ResourceType, schemasOf } from './schema'

/** An attribute whose `value` is the id of a resource (manager). */
export interface ReferringPath extends AttributePath {
  readonly attribute: Attribute & { readonly refersTo: NonNullable<Attribute['refersTo']> }
}

const known = new WeakMap<ResourceType, readonly ReferringPath[]>()

/** The attributes of the type that refer to resources. */
export function referringPaths(type: ResourceType): readonly ReferringPath[] {
  const paths = known.get(type) ?? readPaths(type)
  known.set(type, paths)
  return paths
}

function readPaths(type: ResourceType): readonly ReferringPath[] {
  return schemasOf(type).flatMap(schema =>
    schema.attributes
      .map(attribute => ({ schema, extension: schema !== type.schema, attribute }))
      .filter((path): path is ReferringPath => refers(path)),
  )
}

export function refers(path: AttributePath): path is ReferringPath {
  return path.attribute.refersTo !== undefined
}

/** The service itself says it of the resource referred to: `$ref`, and what is readOnly. */
export function isDerived(sub: Attribute, { refersTo }: Attribute): boolean {
  return refersTo !== undefined && (sub.name === '$ref' || sub.mutability === 'readOnly')
}

/** The readOnly sub-attributes, which are the referred resource's attributes of those names. */
export function borrowedNames({ attribute }: ReferringPath): readonly string[] {
  const { subAttributes = [] } = attribute
  return subAttributes.filter(sub => sub.mutability === 'readOnly').map(({ name }) => name)
}

/** The sub-attribute that holds the id. */
export function idPath(path: ReferringPath): AttributePath {
  const value = subAttribute(path.attribute, 'value')
  if (!value) throw new Error(`${path.attribute.name} refers to a resource, but has no value.`)
  return { ...path, subAttribute: value }
}

/** `https://…/v2/Users/2819c223` and `../Users/2819c223` name the resource as well as its id does (RFC-10, RFC-16). */
export function idInReference(reference: Json | undefined): string | undefined {
  if (typeof reference !== 'string') return undefined
  const [path = ''] = reference.split(/[?#]/, 1)
  return path.split('/').findLast(segment => segment !== '')
}

/** Whether the attribute is a URI of a resource of SCIM, whose version segment says nothing (RFC 7643 §2.4). */
export function isResourceReference({ type, referenceTypes = [] }: Attribute): boolean {
  return type === 'reference' && referenceTypes.some(target => target !== 'external' && target !== 'uri')
}

/** The version segments that SCIM has had; storage/filter-sql.ts takes out the same. */
export const VERSION_SEGMENTS = ['/v1/', '/v2/'] as const

/** The URI without its version: `…/scim/v2/Users/1` and `…/scim/Users/1` are equal (RFC-16). */
export function withoutVersion(uri: string): string {
  return VERSION_SEGMENTS.reduce((text, segment) => text.replaceAll(segment, '/'), uri)
}
