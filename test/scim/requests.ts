// Requests to the kernel in few words, for the tests of bodies and PATCH.
import { expect } from 'vitest'
import { attribute } from '../../src/scim/attribute'
import { ScimError, type ScimType } from '../../src/scim/error'
import { Interop, type Mode } from '../../src/scim/interop'
import { isObject, type Json, type JsonObject } from '../../src/scim/json'
import { applyPatch, type PatchedResource } from '../../src/scim/patch'
import { PATCH_OP_SCHEMA, readPatchOp } from '../../src/scim/patch-op'
import type { ResourceType, Schema } from '../../src/scim/schema'
import { groupType, userType, withExtension } from './generate'

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const LEGACY_GROUP = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'

export const user = userType()
export const group = groupType()

/** Characteristics that the standard schemas do not have: required and immutable attributes, parts and lists. */
export const staffSchema: Schema = {
  id: 'urn:acme:params:scim:Staff',
  name: 'Staff',
  description: 'For tests',
  attributes: [
    attribute('number', 'Given once.', { mutability: 'immutable', caseExact: true }),
    attribute('site', 'Needed where the extension is used.', { required: true }),
    attribute('seat', 'Set by the service.', { mutability: 'readOnly', required: true }),
    attribute('level', 'An integer.', { type: 'integer' }),
    attribute('score', 'A decimal.', { type: 'decimal' }),
    attribute('hired', 'A dateTime.', { type: 'dateTime' }),
    attribute('key', 'Binary.', { type: 'binary', caseExact: true }),
    attribute('tags', 'Texts.', { multiValued: true }),
    attribute('pin', 'A secret.', { mutability: 'writeOnly', returned: 'never' }),
    attribute('shoe', 'On request.', { returned: 'request' }),
    attribute('rank', 'Always.', { returned: 'always' }),
    attribute('card', 'A complex attribute.', {
      type: 'complex',
      subAttributes: [
        attribute('serial', 'Given once.', { mutability: 'immutable' }),
        attribute('colour', 'Any.'),
        attribute('zones', 'Texts.', { multiValued: true }),
      ],
    }),
    attribute('licences', 'A list with a part that is needed.', {
      type: 'complex',
      multiValued: true,
      subAttributes: [
        attribute('value', 'Its number.', { mutability: 'immutable' }),
        attribute('country', 'Needed.', { required: true }),
        attribute('issuer', 'Set by the service.', { mutability: 'readOnly', required: true }),
        attribute('until', 'When it ends.', { type: 'dateTime' }),
      ],
    }),
  ],
}
export const STAFF = staffSchema.id
export const staffUser: ResourceType = withExtension(userType(), staffSchema)

export function compat(): Interop {
  return new Interop('compat')
}

export function strict(): Interop {
  return new Interop('strict')
}

export function patchOp(...operations: Json[]): JsonObject {
  return { schemas: [PATCH_OP_SCHEMA], Operations: operations }
}

/** The resource as it was, deeply frozen, and the operations on it. */
export function patch(
  current: JsonObject,
  operations: readonly Json[],
  type: ResourceType = user,
  interop: Interop = compat(),
): PatchedResource {
  return applyPatch(frozen(current), readPatchOp(patchOp(...operations), type, interop), type, interop)
}

/** What remains of the resource, for tests that look at nothing else. */
export function patched(
  current: JsonObject,
  operations: readonly Json[],
  type: ResourceType = user,
  mode: Mode = 'compat',
): JsonObject {
  return patch(current, operations, type, new Interop(mode)).resource
}

export function refusal(action: () => unknown): ScimError {
  try {
    action()
  } catch (error) {
    if (error instanceof ScimError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

export function expectRefusal(
  action: () => unknown,
  scimType: ScimType | undefined,
  words: string | RegExp,
  status = 400,
): void {
  const error = refusal(action)
  expect([error.status, error.scimType, error.detail]).toEqual([
    status,
    scimType,
    expect.stringMatching(words),
  ])
}

export function frozen<T extends Json>(value: T): T {
  if (Array.isArray(value)) for (const item of value) frozen(item)
  else if (isObject(value)) for (const item of Object.values(value)) frozen(item)
  return Object.freeze(value)
}

/** Two addresses, a name and an extension: enough to see what a change must leave alone. */
export const barbara: JsonObject = frozen({
  userName: 'bjensen@example.com',
  externalId: '701984',
  name: { formatted: 'Ms. Barbara Jensen', familyName: 'Jensen', givenName: 'Barbara' },
  displayName: 'Babs Jensen',
  title: 'Tour Guide',
  active: true,
  emails: [
    { value: 'bjensen@example.com', type: 'work', primary: true },
    { value: 'babs@jensen.org', type: 'home' },
  ],
  [ENTERPRISE]: { employeeNumber: '701984', department: 'Tours' },
})

export const emails: readonly JsonObject[] = [
  { value: 'bjensen@example.com', type: 'work', primary: true },
  { value: 'babs@jensen.org', type: 'home' },
]
