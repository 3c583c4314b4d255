// The SCIM JSON Template of OneLogin: a user whose values are OneLogin's macros, made for what the application reads.
import { exampleResource } from '../../mapping/example-resource'
import type { ExpectedAttribute } from '../../mapping/expected-attributes'
import type { ResourceType } from '../../scim/schema'
import { providerAttribute } from './provider-attributes'

/** What OneLogin's own page says a template needs, whatever the application reads. */
const always = ['userName', 'externalId', 'name.givenName', 'name.familyName', 'emails[type eq "work"].value']

export function oneLoginTemplate(
  attributes: readonly ExpectedAttribute[],
  accountType: ResourceType,
): string {
  const own = attributes.filter(({ type }) => type === 'string' || type === 'number')
  const paths = own.flatMap(({ field, sources: [path] }) => (path === undefined ? [] : [{ path, field }]))
  const readsEmail = paths.some(({ path }) => path.startsWith('emails'))
  const texts = new Map(
    always.filter(path => !readsEmail || !path.startsWith('emails')).map(path => [path, macro(path, null)]),
  )
  for (const { path, field } of paths) if (!texts.has(path)) texts.set(path, macro(path, field))
  return JSON.stringify(exampleResource(texts, accountType), null, 2)
}

/** Where OneLogin has no macro of its own, a parameter that is added to the app under this name. */
export function macro(path: string, field: string | null): string {
  const known = providerAttribute('onelogin', path)
  if (known?.startsWith('{$')) return known
  const name = (field ?? path).replace(/\W+/g, '_')
  return `{$parameters.${name}}`
}
