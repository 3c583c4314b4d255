// What is wrong with a profile or a mapping as a document, beyond its form: paths, values that contradict each other.
// Of one that has not its form everywhere, the parts that can be read are checked.
import type { Json } from '../scim/json'
import type { ResourceType } from '../scim/schema'
import { convert } from './field'
import type { Field, Profile } from './profile'
import type { ReadableFields, ReadableMapping, ReadableProfile } from './readable-document'
import { isAmbiguous, readSource } from './source'
import { fieldsOf } from './view'

export interface DocumentProblem {
  /** JSON path within the document: `user.fields[2].source`. */
  readonly path: string
  readonly message: string
}

type Report = (path: string, message: string) => void

/** `type`: the resource type of users as the profile's tenants have it at least. */
export function checkProfile(
  { user, paging, idps }: ReadableProfile,
  type: ResourceType,
): readonly DocumentProblem[] {
  const { problems, report } = reporter()
  const { fields, role } = user
  checkFields(fields, 'user.fields', type, report)
  if (role) {
    const { source, values, privileged, default: otherwise } = role
    if (!mayHave(fields, source)) checkPath(source, 'user.role.source', type, report)
    if (values && otherwise !== undefined && !values.includes(otherwise))
      report('user.role.default', `must be one of user.role.values: ${values.join(', ')}`)
    privileged.forEach((name, at) => {
      if (values && !values.includes(name))
        report(`user.role.privileged[${at}]`, `must be one of user.role.values: ${values.join(', ')}`)
    })
  }
  if (paging && paging.defaultCount > paging.maxCount)
    report('paging.defaultCount', 'must not be more than paging.maxCount')
  for (const [idp, { fallback }] of Object.entries(idps))
    for (const [field, paths] of Object.entries(fallback)) {
      const at = `idps.${idp}.fallback.${field}`
      if (!mayHave(fields, field)) report(at, 'is no field of user.fields')
      paths.forEach((path, index) => {
        checkPath(path, `${at}[${index}]`, type, report)
      })
    }
  return problems
}

/** `idp`: the kind of the connection; `targetGroups`: ids of those that the tenant has. */
export function checkMapping(
  { fields, groupBy, targetGroup }: ReadableMapping,
  profile: Profile,
  idp: string | undefined,
  type: ResourceType,
  targetGroups: readonly string[],
): readonly DocumentProblem[] {
  const { problems, report } = reporter()
  checkFields(fields, 'fields', type, report)
  checkNames(fields, profile.user.fields, report)
  if (groupBy && areReadable(fields))
    checkGroupBy(groupBy.source, fieldsOf(profile, { fields, groupBy, targetGroup }, idp), type, report)
  if (targetGroup !== null && !targetGroups.includes(targetGroup))
    report('targetGroup', 'is no target group of this tenant; make it first')
  return problems
}

function reporter(): { problems: DocumentProblem[]; report: Report } {
  const problems: DocumentProblem[] = []
  return { problems, report: (path, message) => problems.push({ path, message }) }
}

function areReadable(fields: ReadableFields): fields is readonly Field[] {
  return !fields.includes(undefined)
}

/** One that cannot be read may have any name. */
function mayHave(fields: ReadableFields, name: string): boolean {
  return fields.some(known => known === undefined || known.field === name)
}

function checkFields(fields: ReadableFields, at: string, type: ResourceType, report: Report): void {
  const seen = new Set<string>()
  fields.forEach((field, index) => {
    if (!field) return
    const here = `${at}[${index}]`
    const name = field.field.toLowerCase()
    if (seen.has(name))
      report(`${here}.field`, `${field.field} is given twice; case tells no field from another`)
    seen.add(name)
    checkPath(field.source, `${here}.source`, type, report)
    field.fallback.forEach((path, nth) => {
      checkPath(path, `${here}.fallback[${nth}]`, type, report)
    })
    checkValues(field, here, report)
  })
}

/** A filter reads the names of fields without case, so two of them cannot differ in that alone. */
function checkNames(own: ReadableFields, ofProfile: readonly Field[], report: Report): void {
  own.forEach((field, index) => {
    const meant = ofProfile.find(known => known.field.toLowerCase() === field?.field.toLowerCase())
    if (meant && meant.field !== field?.field)
      report(`fields[${index}].field`, `must be written ${meant.field}, as the profile has it`)
  })
}

function checkPath(text: string, at: string, type: ResourceType, report: Report): void {
  const source = readSource(text, type)
  if ('problem' in source) report(at, source.problem)
}

function checkValues(field: Field, at: string, report: Report): void {
  const { values, type, maxLength } = field
  if (maxLength !== undefined && type !== 'string')
    report(`${at}.maxLength`, 'belongs to a field of type string')
  values?.forEach((value, index) => {
    checkValue(value, field, `${at}.values[${index}]`, report)
  })
  if (field.default === undefined) return
  checkValue(field.default, field, `${at}.default`, report)
  if (values && !values.includes(field.default))
    report(`${at}.default`, `must be one of the field's values: ${values.map(String).join(', ')}`)
}

function checkValue(value: Json, { type, maxLength }: Field, at: string, report: Report): void {
  if (convert(value, type) !== value) report(at, `must be a ${type}`)
  else if (typeof value === 'string' && maxLength !== undefined && [...value].length > maxLength)
    report(at, `has more than ${maxLength} characters`)
}

/** Whoever has two values would be in two groups at once. */
function checkGroupBy(text: string, fields: readonly Field[], type: ResourceType, report: Report): void {
  const field = fields.find(candidate => candidate.field === text)
  for (const path of field ? [field.source, ...field.fallback] : [text]) {
    const source = readSource(path, type)
    if ('problem' in source) report('groupBy.source', source.problem)
    else if (isAmbiguous(source))
      report(
        'groupBy.source',
        `${path} has several values; select one of them with a filter, or another path`,
      )
  }
}
