// An attribute and its characteristics as data (RFC 7643 §2.2, §7).

export type AttributeType =
  | 'string'
  | 'boolean'
  | 'decimal'
  | 'integer'
  | 'dateTime'
  | 'binary'
  | 'reference'
  | 'complex'

export interface Attribute {
  readonly name: string
  readonly type: AttributeType
  readonly multiValued: boolean
  readonly description: string
  readonly required: boolean
  readonly caseExact: boolean
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly'
  readonly returned: 'always' | 'never' | 'default' | 'request'
  readonly uniqueness: 'none' | 'server' | 'global'
  readonly canonicalValues?: readonly string[]
  readonly referenceTypes?: readonly string[]
  readonly subAttributes?: readonly Attribute[]
  /** Kept in a column of its own, as JSON, and not in the document. Not published. */
  readonly column?: 'profile'
  /** The `type` by which the only element is found too when it has none. Not published. */
  readonly soleType?: string
  /**
   * The resource type whose ids are its `value`: a complex attribute that is not multi-valued. Only the id is kept;
   * the service itself says `$ref`, and what is readOnly as the referred resource has it. Not published.
   */
  readonly refersTo?: { readonly name: string; readonly endpoint: string }
}

/** An attribute with the defaults of RFC 7643 §2.2 for what is not said. */
export function attribute(
  name: string,
  description: string,
  characteristics: Partial<Omit<Attribute, 'name' | 'description'>> = {},
): Attribute {
  return {
    name,
    type: 'string',
    multiValued: false,
    description,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...characteristics,
  }
}

/** Attribute names compare without case (RFC 7643 §2.1). */
export function findAttribute(attributes: readonly Attribute[], name: string): Attribute | undefined {
  const wanted = name.toLowerCase()
  return attributes.find(candidate => candidate.name.toLowerCase() === wanted)
}

export function subAttribute(parent: Attribute, name: string): Attribute | undefined {
  return parent.subAttributes && findAttribute(parent.subAttributes, name)
}

/** No two resources of the type share a value. */
export function isUnique({ uniqueness }: Attribute): boolean {
  return uniqueness !== 'none'
}
