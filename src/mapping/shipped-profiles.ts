// The profiles that ship with the service: the standard one, which a tenant has that says nothing else, and one for
// each documented product. They are the files of examples/profiles.
import cafex from '../../examples/profiles/cafex.json'
import clientPlatform from '../../examples/profiles/client-platform.json'
import keepnet from '../../examples/profiles/keepnet.json'
import randomCoffee from '../../examples/profiles/random-coffee.json'
import standard from '../../examples/profiles/standard.json'
import type { Profile } from './profile'
import { profileDocument, profileOf } from './profile-document'

const documents: ReadonlyMap<string, unknown> = new Map(
  [standard, randomCoffee, keepnet, cafex, clientPlatform].map(document => [document.name, document]),
)

const read = new Map<string, Profile>()

export const shippedNames: readonly string[] = [...documents.keys()]

/** Read when it is first asked for; undefined for a name that does not ship. */
export function shippedProfile(name: string): Profile | undefined {
  const known = read.get(name)
  const document = documents.get(name)
  if (known || document === undefined) return known
  const profile = profileOf(profileDocument.parse(document), 0)
  read.set(name, profile)
  return profile
}

/** The one that a tenant has that says nothing else. */
export const STANDARD_PROFILE = 'standard'
