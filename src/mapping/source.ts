// Where a value comes from: a SCIM path of the profile, and what it finds in a resource.
import { findAttribute } from '../scim/attribute'
import { type AttributePath, formatPath } from '../scim/attribute-path'
import { own } from '../scim/canonical'
import { valuesOf } from '../scim/comparable'
import { ScimError } from '../scim/error'
import { type Filter, parseValuePath } from '../scim/filter'
import { matchesElement } from '../scim/filter-match'
import { Interop } from '../scim/interop'
import { isObject, type Json } from '../scim/json'
import { attributeValue, type Resource } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import { declaring } from '../scim/tenant-types'

export interface Source {
  /** As it was written: what an administrator is told. */
  readonly text: string
  /** Ends at a simple attribute or sub-attribute. */
  readonly path: AttributePath
  readonly filter?: Filter
}

/** Why a path can be no source, in words. */
export interface NoSource {
  readonly problem: string
}

/**
 * A path that a document of the type can answer: `userName`, `emails[type eq "work"].value`, `manager.value`. What an
 * open extension does not have yet is found once somebody has it.
 */
export function readSource(text: string, type: ResourceType): Source | NoSource {
  const interop = new Interop('compat')
  let target: { path: AttributePath; filter?: Filter }
  try {
    target = parseValuePath(text, type, interop)
  } catch (error) {
    const { toBeDeclared } = interop
    if (toBeDeclared.length > 0) return readSource(text, declaring(type, toBeDeclared))
    if (error instanceof ScimError) return { problem: `is no path of ${type.name}: ${error.detail}` }
    throw error
  }
  const path = simplePath(target.path)
  if (!path) return { problem: `must name a sub-attribute of ${target.path.attribute.name}` }
  if (!isStored(path, type)) return { problem: `${formatPath(path)} is not part of what a client provisions` }
  return { text, path, ...(target.filter && { filter: target.filter }) }
}

/** More than one value may be there, and nothing says which is meant. */
export function isAmbiguous({ path, filter }: Source): boolean {
  return path.attribute.multiValued && filter === undefined
}

/**
 * The value, or undefined where there is none. Of several elements the primary one counts, else the first; a text of
 * nothing but spaces is no value.
 */
export function sourceValue(resource: Resource, { path, filter }: Source): Json | undefined {
  const all = valuesOf(attributeValue(resource, path))
  const elements = filter ? all.filter(element => matchesElement(filter, element, all.length === 1)) : all
  const chosen =
    elements.find(element => isObject(element) && own(element, 'primary') === true) ?? elements[0]
  const value = path.subAttribute ? isObject(chosen) && own(chosen, path.subAttribute.name) : chosen
  if (typeof value === 'string') return value.trim() === '' ? undefined : value
  return typeof value === 'number' || (typeof value === 'boolean' && chosen !== undefined) ? value : undefined
}

/** A complex attribute means its `value`. */
function simplePath(path: AttributePath): AttributePath | undefined {
  if (path.subAttribute || path.attribute.type !== 'complex') return path
  const value = findAttribute(path.attribute.subAttributes ?? [], 'value')
  return value && { ...path, subAttribute: value }
}

/** The id, meta, schemas and memberships are not in a document; what is never shown is nobody's to see. */
function isStored({ attribute, subAttribute, extension }: AttributePath, type: ResourceType): boolean {
  if (!extension && attribute.name === type.membersAttribute) return false
  return [attribute, subAttribute].every(
    part => part === undefined || (part.mutability !== 'readOnly' && part.returned !== 'never'),
  )
}
