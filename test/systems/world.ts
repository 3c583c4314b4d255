// A documented product as its customers meet it: a tenant with the shipped profile of that name, users as each identity
// provider sends them, and what the application sees, asked of the admin and of the directory API alike.
import { expect } from 'vitest'
import { plain } from '../contract/calls'
import { admin, ENTERPRISE, newTenant, ORIGIN, readReply, scimClient, USER } from '../contract/world'

export interface Account {
  id: string
  userName: string
  externalId: string | null
  active: boolean
  deletedAt: string | null
  connectionId: string
  profile: Record<string, unknown>
  roles: { name: string; permissions: string[]; privileged: boolean; source: string }[]
  targetGroup: { id: string; name: string } | null
  sessionEpoch: number
  createdAt: string
}

export interface Role {
  id: string
  name: string
  source: string
  permissions: string[]
  privileged: boolean
  members: number
}

export interface TargetGroup {
  id: string
  name: string
  managed: string
  members: number
}

interface Listed<Item> {
  items: Item[]
  nextCursor?: string
}

export async function newSystem(profile: string, idp = 'entra') {
  const tenant = await newTenant({ profile, idp })
  const { at, slug } = tenant
  const key = await admin<{ value: string }>('POST', `${at}/app-keys`, { name: 'The application' })

  async function directory<B>(path: string): Promise<B> {
    const headers = { Authorization: `Bearer ${key.value}` }
    const url = `${ORIGIN}/directory/v1/tenants/${slug}${path}`
    const reply = await readReply<B>(await plain(new Request(url, { headers })))
    expect(reply.status).toBe(200)
    return reply.body
  }

  /** What operator and application are both shown. */
  async function both<B>(path: string): Promise<B> {
    const shown = await admin<B>('GET', at + path)
    expect(await directory<B>(path)).toEqual(shown)
    return shown
  }

  return {
    ...tenant,
    account: (id: string) => both<Account>(`/users/${id}`),
    async accounts(query = ''): Promise<Account[]> {
      return (await both<Listed<Account>>(`/users?limit=500${query}`)).items
    },
    async roles(): Promise<Role[]> {
      return (await both<Listed<Role>>('/roles')).items
    },
    async targetGroups(): Promise<TargetGroup[]> {
      return (await both<Listed<TargetGroup>>('/target-groups')).items
    },
  }
}

export type System = Awaited<ReturnType<typeof newSystem>>

/** A person, named once a test, as an identity provider's directory has them. */
export interface Person {
  readonly login: string
  readonly key: string
  readonly first: string
  readonly last: string
}

export function somebody(first = 'Ada', last = 'Lovelace'): Person {
  const unique = crypto.randomUUID().slice(0, 8)
  return { login: `${first}.${unique}@example.com`, key: crypto.randomUUID(), first, last }
}

/** Entra's create: both schemas, `meta`, an empty list of roles. */
export function asEntra({ login, key, first, last }: Person, more: object = {}) {
  return {
    schemas: [USER, ENTERPRISE],
    externalId: key,
    userName: login,
    active: true,
    emails: [{ primary: true, type: 'work', value: login }],
    meta: { resourceType: 'User' },
    name: { formatted: `${first} ${last}`, familyName: last, givenName: first },
    roles: [],
    ...more,
  }
}

/** Okta's create: a placeholder password, an empty list of groups. */
export function asOkta({ login, key, first, last }: Person, more: object = {}) {
  return {
    schemas: [USER],
    userName: login,
    name: { givenName: first, familyName: last },
    emails: [{ primary: true, value: login, type: 'work' }],
    displayName: `${first} ${last}`,
    locale: 'en-US',
    externalId: key,
    groups: [],
    password: 'Placeholder-1',
    active: true,
    ...more,
  }
}

/** JumpCloud's create. */
export function asJumpCloud({ login, key, first, last }: Person, more: object = {}) {
  return {
    schemas: [USER],
    userName: login,
    externalId: key,
    name: { givenName: first, familyName: last },
    displayName: `${first} ${last}`,
    emails: [{ value: login, type: 'work', primary: true }],
    active: true,
    ...more,
  }
}

/** PingFederate authenticates with Basic, speaks plain JSON, and takes the account name for the user name. */
export function pingClient(base: string, token: string) {
  const { send } = scimClient(base, `Basic ${btoa(`scim:${token}`)}`)
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' }
  return {
    get: (path: string) => send('GET', path, undefined, headers),
    post: (path: string, body: unknown) => send('POST', path, body, headers),
    put: (path: string, body: unknown) => send('PUT', path, body, headers),
    patch: (path: string, operations: readonly unknown[]) =>
      send(
        'PATCH',
        path,
        { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations },
        headers,
      ),
  }
}

export const names = (items: readonly { name: string }[]) => items.map(({ name }) => name)
export const replace = (path: string, value: unknown) => [{ op: 'replace', path, value }]
