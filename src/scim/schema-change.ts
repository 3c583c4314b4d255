// What a change of a resource type's schemas asks of the data that is stored already: each demand is one question to
// the database.
import { type Attribute, attribute, isUnique } from './attribute'
import type { ResourceType, Schema, SchemaExtension } from './schema'

export interface Demand {
  /** `urn:…:User:badge`, `urn:…:User:car.plate`; the URN alone for an extension as a whole. */
  readonly path: string
  /** URN of the extension that holds the attribute; undefined where the document itself does. */
  readonly container: string | undefined
  readonly attribute: Attribute
  readonly subAttribute?: Attribute
  /** No resource has a value; every one (that uses the extension) has one; no two share one. */
  readonly kind: 'unused' | 'present' | 'distinct'
  /** Why it is demanded: `is removed`. */
  readonly reason: string
}

/** Adding an attribute or an extension that is not required demands nothing. */
export function demandsOf(before: ResourceType, after: ResourceType): readonly Demand[] {
  return [
    ...schemaDemands(before.schema, after.schema, undefined),
    ...extensionChanges(before, after).flatMap(change => [
      ...requiredExtension(change),
      ...schemaDemands(change.before?.schema, change.after?.schema, change.urn),
    ]),
  ]
}

interface ExtensionChange {
  readonly urn: string
  readonly before: SchemaExtension | undefined
  readonly after: SchemaExtension | undefined
}

/** Documents spell a URN as its schema did, so another spelling is another extension. */
function extensionChanges(before: ResourceType, after: ResourceType): ExtensionChange[] {
  const find = (type: ResourceType, urn: string) => type.extensions.find(({ schema }) => schema.id === urn)
  const urns = new Set([...before.extensions, ...after.extensions].map(({ schema }) => schema.id))
  return [...urns].map(urn => ({ urn, before: find(before, urn), after: find(after, urn) }))
}

/** To the document an extension is an attribute that holds all of its values. */
function requiredExtension({ urn, before, after }: ExtensionChange): Demand[] {
  if (!after?.required || before?.required) return []
  const whole = attribute(urn, '', { type: 'complex' })
  return [{ path: urn, container: undefined, attribute: whole, kind: 'present', reason: 'becomes required' }]
}

function schemaDemands(
  before: Schema | undefined,
  after: Schema | undefined,
  container: string | undefined,
): readonly Demand[] {
  const id = (after ?? before)?.id
  return between(before?.attributes ?? [], after?.attributes ?? []).flatMap(change => {
    const at = { path: `${id}:${change.attribute.name}`, container, attribute: change.attribute }
    const own = reasonsOf(change).map(reason => ({ ...at, ...reason }))
    if (own.some(({ kind }) => kind === 'unused') || !change.before || !change.after) return own
    return [...own, ...insideOf(change.before, change.after, at)]
  })
}

interface AttributeChange {
  /** As it was, or as it will be where it is new. */
  readonly attribute: Attribute
  readonly before: Attribute | undefined
  readonly after: Attribute | undefined
}

/** Documents spell names as their schema did, so another spelling is another attribute. */
function between(before: readonly Attribute[], after: readonly Attribute[]): AttributeChange[] {
  const named = (attributes: readonly Attribute[], name: string) => attributes.find(one => one.name === name)
  return [
    ...before.map(attribute => ({ attribute, before: attribute, after: named(after, attribute.name) })),
    ...after
      .filter(({ name }) => !named(before, name))
      .map(attribute => ({ attribute, before: undefined, after: attribute })),
  ]
}

type Reason = Pick<Demand, 'kind' | 'reason'>

function reasonsOf({ before, after }: AttributeChange): Reason[] {
  if (!after) return [{ kind: 'unused', reason: 'is removed' }]
  const reasons: Reason[] = before ? changesOf(before, after).map(reason => ({ kind: 'unused', reason })) : []
  if (isRequired(after) && !(before && isRequired(before)))
    reasons.push({ kind: 'present', reason: 'becomes required' })
  if (isUnique(after) && before && !isUnique(before))
    reasons.push({ kind: 'distinct', reason: 'becomes unique' })
  return reasons
}

/** What values that are there would not outlive. */
function changesOf(before: Attribute, after: Attribute): string[] {
  const changes: string[] = []
  if (before.type !== after.type) changes.push(`changes its type from ${before.type} to ${after.type}`)
  if (before.multiValued !== after.multiValued)
    changes.push(after.multiValued ? 'becomes multi-valued' : 'is no longer multi-valued')
  // Values are stored and looked up folded, or not.
  if (before.caseExact !== after.caseExact && before.type === after.type)
    changes.push(after.caseExact ? 'becomes caseExact' : 'is no longer caseExact')
  // The next PUT would take them away.
  if (before.mutability !== 'readOnly' && after.mutability === 'readOnly') changes.push('becomes readOnly')
  return changes
}

function isRequired({ required, mutability }: Attribute): boolean {
  return required && mutability !== 'readOnly'
}

function insideOf(
  before: Attribute,
  after: Attribute,
  at: Pick<Demand, 'path' | 'container' | 'attribute'>,
): Demand[] {
  return between(before.subAttributes ?? [], after.subAttributes ?? []).flatMap(change =>
    reasonsOf(change).map(reason => ({
      ...at,
      ...reason,
      path: `${at.path}.${change.attribute.name}`,
      subAttribute: change.attribute,
    })),
  )
}

/** Paths of the unique attributes that were not so before, and of those that no longer are. */
export function uniquenessChange(
  before: ResourceType,
  after: ResourceType,
): { readonly gained: readonly string[]; readonly lost: readonly string[] } {
  const unique = ({ lookups }: ResourceType) =>
    lookups.filter(lookup => lookup.unique).map(({ path }) => path)
  const missingIn = (type: ResourceType) => (path: string) => !unique(type).includes(path)
  return {
    gained: unique(after).filter(missingIn(before)),
    lost: unique(before).filter(missingIn(after)),
  }
}
