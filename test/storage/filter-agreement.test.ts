// SQL answers a filter as memory does: for what users really look like when they have been stored, and for every
// filter the grammar allows. What a client sees in the representation is what its filters are about.
import { env } from 'cloudflare:workers'
import { uuidv7 } from 'uuidv7'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { renderList } from '../../src/http/render'
import { standardApplication } from '../../src/operations/configuration'
import { create } from '../../src/operations/create'
import { modify } from '../../src/operations/modify'
import { query } from '../../src/operations/query'
import type { Tenant } from '../../src/operations/tenant'
import { isList } from '../../src/scim/canonical'
import { type Filter, parseFilter } from '../../src/scim/filter'
import { matches } from '../../src/scim/filter-match'
import { Interop } from '../../src/scim/interop'
import { isObject, type Json, type JsonObject } from '../../src/scim/json'
import type { ResourceType } from '../../src/scim/schema'
import { keysOf } from '../../src/storage/keys'
import { TenantDatabase } from '../../src/storage/tenant-database'
import {
  badgedUserType,
  badgeSchema,
  groupType,
  pick,
  type Random,
  randomFilter,
  randomUser,
  seeded,
} from '../scim/generate'
import { GROUP, PATCH_OP } from './world'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const BASE = 'https://scim.example.com/t/acme/scim/v2'
const types = { User: badgedUserType, Group: groupType() }
const interop = new Interop('compat')
const keys = await keysOf('secret-key-for-tests-0123456789abcdef')

/** The tenant as one of its connections sees it, at a time. */
function tenantOf(id: string, connectionId: string, now = Date.UTC(2026, 10, 21)): Tenant {
  const txn = uuidv7()
  return {
    id,
    connectionId,
    resourceTypes: [types.User, types.Group],
    declares: [],
    breaker: undefined,
    application: standardApplication,
    interop,
    limits: { defaultCount: 100, maxCount: 1000 },
    baseUrl: BASE,
    database: new TenantDatabase({ d1: env.DB, furtherDatabases: new Map() }, id),
    now,
    clock: () => now,
    txn,
    newId: uuidv7,
    keys,
    origin: { kind: 'operator' },
    log: {
      entry: (status, resourceType, resourceId) => ({
        ...{ id: txn, at: now, connectionId, tokenHint: null, method: 'POST', path: '/', status },
        ...{
          scimType: null,
          detail: null,
          help: null,
          resourceType,
          resourceId,
          tolerances: [],
          durationMs: 0,
        },
      }),
      stored: () => undefined,
    },
  }
}

interface Listed {
  readonly resources: readonly JsonObject[]
  readonly total: number
}

async function listed(tenant: Tenant, type: ResourceType, filter?: Filter): Promise<Listed> {
  // All there is to say of everybody; of what a filter finds, only who it is.
  const projection = filter ? { only: new Set(['userName', 'displayName']) } : {}
  const list = { filter, sort: undefined, startIndex: 1, cursor: undefined, count: 1000, projection }
  const result = await query(tenant, type, list)
  const rendered = renderList(tenant, [{ type, result, projection }], { ...result, startIndex: 1 })
  const body = rendered instanceof ReadableStream ? await new Response(rendered).json<JsonObject>() : rendered
  return { resources: body.Resources as readonly JsonObject[], total: result.total }
}

async function store(tenant: Tenant, type: ResourceType, body: JsonObject): Promise<string> {
  const { views } = await create(tenant, type, body, {})
  return views[0]?.stored.id ?? ''
}

const OWN = 'connection-1'
const OTHER = 'connection-2'

/** Texts that folding, ordering and LIKE would each like to get wrong. */
const hardTexts = [
  'Müller',
  'MÜLLER',
  'mu\u0308ller',
  'Weiß',
  'ΣΊΣΥΦΟΣ',
  'σίσυφος',
  'İstanbul',
  'ıI',
  'ｆｕｌｌ　ｗｉｄｔｈ',
  'e\u0301\u0323',
  '\ue000',
  '\uffff'.replace('\uffff', '\ufffd'),
  '😀',
  '👩‍👩‍👧',
  '100%',
  '100_',
  '100\\',
  '_%_',
  'ſ',
  'ǅ',
  'ﬁ',
  'Å',
  'A'.repeat(3000),
  `${'ü'.repeat(2999)}Z`,
  ' x ',
]

/** A tenant with sixty users of two connections, some changed since, and groups of users and groups. */
async function populated(seed: number): Promise<{ id: string; random: Random }> {
  const random = seeded(seed)
  const id = crypto.randomUUID()
  const time = () => Date.UTC(2025, 11, 31) + Math.floor(random() * 4) * 43_200_500
  const userIds: string[] = []
  for (let n = 0; n < 60; n++) {
    const { id: _, meta: __, ...user } = randomUser(random)
    const connection = random() < 0.7 ? OWN : OTHER
    const hard = hardTexts[n]
    const more: Record<string, Json> =
      hard === undefined ? {} : { displayName: hard, nickName: `${hard}${n}` }
    // Half of those who have a manager have one who is there.
    const boss = random() < 0.5 ? userIds[Math.floor(random() * n)] : undefined
    const enterprise = user[ENTERPRISE]
    if (boss !== undefined && isObject(enterprise))
      more[ENTERPRISE] = { ...enterprise, manager: { value: boss } }
    const userId = await store(tenantOf(id, connection, time()), types.User, { ...user, ...more })
    userIds.push(userId)
    if (random() < 0.3) {
      const patch = { schemas: [PATCH_OP], Operations: [{ op: 'replace', path: 'title', value: `T${n}` }] }
      await modify(tenantOf(id, OWN, time()), types.User, userId, patch, undefined, {})
    }
  }
  const groupIds: string[] = []
  for (let n = 0; n < 8; n++) {
    const candidates = [...userIds, ...groupIds]
    const members = Array.from({ length: n * 2 }, () => ({ value: pick(random, candidates) }))
    const displayName = `${hardTexts[n] ?? ''} ${n}`
    const body = { schemas: [GROUP], displayName, ...(n % 2 && { externalId: `G-${n}` }), members }
    const connection = n < 6 ? OWN : OTHER
    groupIds.push(await store(tenantOf(id, connection, time()), types.Group, body))
  }
  return { id, random }
}

/** Where `filter`'s two readers differ, as a message; undefined where they agree. */
async function disagreement(
  tenant: Tenant,
  type: ResourceType,
  all: readonly JsonObject[],
  text: string,
): Promise<string | undefined> {
  const filter = parseFilter(text, type, interop)
  const expected = all.filter(resource => matches(filter, resource)).map(({ id }) => String(id))
  let found: Listed
  try {
    found = await listed(tenant, type, filter)
  } catch (error) {
    return `${text}\n  failed: ${error instanceof Error ? error.message : String(error)}`
  }
  const ids = found.resources.map(({ id }) => String(id))
  if (JSON.stringify(ids) === JSON.stringify(expected) && found.total === expected.length) return undefined
  const difference = all.filter(({ id }) => ids.includes(String(id)) !== expected.includes(String(id)))
  return `${text}\n  SQL ${ids.length} (total ${found.total}), memory ${expected.length}; e.g. ${JSON.stringify(difference[0])?.slice(0, 1500)}`
}

/** A condition about a value that some resource has, so that it hits: ids, versions and references too. */
function sampledFilter(random: Random, all: readonly JsonObject[]): string {
  const terms = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
    sampledTerm(random, pick(random, all)),
  )
  const joined = terms.reduce((left, right) => `${left} ${pick(random, ['and', 'or'])} ${right}`)
  return random() < 0.2 ? `not (${joined})` : joined
}

function sampledTerm(random: Random, resource: JsonObject): string {
  const [path, value] = pick(random, leavesOf(resource))
  const operators = typeof value === 'boolean' ? ['eq', 'ne'] : ['eq', 'ne', 'gt', 'ge', 'lt', 'le']
  const plainText =
    typeof value === 'string' && !/^\d{4}-\d\d-\d\dT|==$/.test(value) && !/key|x509/.test(path)
  if (!plainText || random() < 0.6) {
    const operator = /key|x509/.test(path) ? pick(random, ['eq', 'ne']) : pick(random, operators)
    return `${path} ${operator} ${JSON.stringify(value)}`
  }
  const operator = pick(random, ['co', 'sw', 'ew'])
  const characters = [...value].slice(0, 40)
  const from = { co: Math.floor(random() * characters.length), sw: 0, ew: -3 }[operator]
  const part = characters.slice(from).slice(0, 3).join('')
  return `${path} ${operator} ${JSON.stringify(part)}`
}

/** Paths and values of a representation; values that make a filter too long are left out. */
function leavesOf(resource: JsonObject): [string, string | number | boolean][] {
  const leaves: [string, string | number | boolean][] = []
  const visit = (path: string, value: Json) => {
    if (isList(value)) for (const item of value) visit(path, item)
    else if (isObject(value)) for (const [key, inner] of Object.entries(value)) visit(`${path}.${key}`, inner)
    else if (value !== null && !(typeof value === 'string' && value.length > 1000)) leaves.push([path, value])
  }
  for (const [key, value] of Object.entries(resource)) {
    if (key.startsWith('urn:') && isObject(value))
      for (const [name, inner] of Object.entries(value)) visit(`${key}:${name}`, inner)
    else visit(key, value)
  }
  return leaves
}

describe.each([1, 20261121, 77])('seed %i', seed => {
  let tenant: Tenant
  let random: Random
  let users: readonly JsonObject[]
  let groups: readonly JsonObject[]

  beforeAll(async () => {
    const world = await populated(seed)
    random = world.random
    tenant = tenantOf(world.id, OWN)
    users = (await listed(tenant, types.User)).resources
    groups = (await listed(tenant, types.Group)).resources
  })

  async function agree(type: ResourceType, filters: readonly string[]): Promise<void> {
    const all = type === types.User ? users : groups
    const differing: string[] = []
    let hits = 0
    for (const text of filters) {
      const found = await disagreement(tenant, type, all, text)
      if (found !== undefined) differing.push(found)
      const count = all.filter(resource => matches(parseFilter(text, type, interop), resource)).length
      if (count > 0 && count < all.length) hits++
    }
    expect(differing.slice(0, 3).join('\n'), `${differing.length} filters`).toBe('')
    // Filters that match everything or nothing would prove little.
    expect(hits).toBeGreaterThan(filters.length / 5)
  }

  test('sixty users and six groups are there to be found', () => {
    expect(users).toHaveLength(60)
    expect(groups).toHaveLength(6)
  })

  test('400 random filters on users', async () => {
    await agree(
      types.User,
      Array.from({ length: 400 }, () => randomFilter(random, types.User)),
    )
  })

  test('200 filters on users about what they have', async () => {
    await agree(
      types.User,
      Array.from({ length: 200 }, () => sampledFilter(random, users)),
    )
  })

  test('200 filters on groups about what they have', async () => {
    await agree(
      types.Group,
      Array.from({ length: 200 }, () => sampledFilter(random, groups)),
    )
  })

  test('100 random filters on groups', async () => {
    const filters = Array.from({ length: 100 }, () => randomFilter(random, types.Group))
    const found = await Promise.all(filters.map(text => disagreement(tenant, types.Group, groups, text)))
    expect(found.filter(one => one !== undefined).join('\n')).toBe('')
  })
})

describe('an only e-mail address without a type', () => {
  const typed = (value: string, type: string) => ({ value, type })

  test('is found as the one for work by memory and by SQL', async () => {
    const id = crypto.randomUUID()
    const tenant = tenantOf(id, OWN)
    const lists: Readonly<Record<string, readonly JsonObject[]>> = {
      alone: [{ value: 'a@example.com' }],
      typed: [typed('a@example.com', 'work')],
      home: [typed('a@example.com', 'home')],
      two: [{ value: 'a@example.com' }, { value: 'b@example.com' }],
      mixed: [{ value: 'a@example.com' }, typed('b@example.com', 'work')],
      none: [],
    }
    for (const [userName, emails] of Object.entries(lists))
      await store(tenantOf(id, OWN), types.User, { userName, emails })
    const { resources } = await listed(tenant, types.User)
    const found = async (text: string) => {
      expect(await disagreement(tenant, types.User, resources, text)).toBeUndefined()
      const { resources: users } = await listed(tenant, types.User, parseFilter(text, types.User, interop))
      return users.map(({ userName }) => userName)
    }
    expect(await found('emails[type eq "Work"].value eq "A@example.com"')).toEqual(['alone', 'typed'])
    expect(await found('emails[not (type eq "work")]')).toEqual(['home', 'two', 'mixed'])
    expect(await found('emails.type eq "work"')).toEqual(['alone', 'typed', 'mixed'])
    expect(await found('not (emails.type eq "work")')).toEqual(['home', 'two', 'none'])
    expect(await found('emails[type eq "home"]')).toEqual(['home'])
  })
})

describe('hard cases', () => {
  let tenant: Tenant
  let users: readonly JsonObject[]
  let groups: readonly JsonObject[]
  let ids: Record<'ann' | 'bob' | 'own' | 'staff', string>

  beforeAll(async () => {
    const id = crypto.randomUUID()
    const at = (connection: string, now?: number) => tenantOf(id, connection, now)
    const ann = await store(at(OWN, Date.UTC(2026, 0, 1)), types.User, {
      userName: 'Ann@Example.com',
      externalId: 'Ext-1',
      displayName: 'Ann Ö 100%_',
      title: 'C:\\x',
      active: false,
      name: { givenName: 'Ann' },
      emails: [
        { value: 'ann@work.example', type: 'work', primary: true },
        { value: 'ann@home.example', type: 'home' },
        { type: 'other', display: 'no value' },
      ],
      phoneNumbers: [{ value: '+1', type: 'work', primary: false }],
      [ENTERPRISE]: { department: 'R&D', manager: { value: 'M1' } },
      [badgeSchema.id]: {
        level: 10,
        tags: ['Red', 'blue'],
        counts: [0],
        contractor: false,
        hired: '2026-01-01T00:00:00Z',
      },
    })
    const bob = await store(at(OTHER, Date.UTC(2026, 0, 2)), types.User, {
      userName: 'bob',
      externalId: 'Ext-2',
      emails: [{ value: 'bob@work.example', type: 'home' }],
      [ENTERPRISE]: { employeeNumber: '701984', manager: { value: ann } },
    })
    const own = await store(at(OWN, Date.UTC(2026, 0, 3)), types.User, {
      userName: '😀x😀',
      displayName: '\ue000',
    })
    const staff = await store(at(OWN), types.Group, {
      displayName: 'Staff Ö',
      members: [{ value: ann }, { value: bob }, { value: own }],
    })
    await store(at(OWN), types.Group, { displayName: 'Empty', externalId: 'Ext-1' })
    await store(at(OWN), types.Group, { displayName: 'Parents', members: [{ value: staff }] })
    ids = { ann, bob, own, staff }
    tenant = at(OWN)
    users = (await listed(tenant, types.User)).resources
    groups = (await listed(tenant, types.Group)).resources
  })

  /** `$name` stands for an id. */
  function spelled(text: string): string {
    return text.replace(/\$(ann|bob|own|staff)/g, (_, name: keyof typeof ids) => ids[name])
  }

  /** The filter's answer is that of both readers, and `names` say what it should be. */
  async function found(type: ResourceType, text: string): Promise<string[]> {
    const all = type === types.User ? users : groups
    expect((await disagreement(tenant, type, all, spelled(text))) ?? '').toBe('')
    expect((await disagreement(tenant, type, all, `not (${spelled(text)})`)) ?? '').toBe('')
    const { resources } = await listed(tenant, type, parseFilter(spelled(text), type, interop))
    return resources.map(({ userName, displayName }) => String(userName ?? displayName))
  }

  const ANN = 'Ann@Example.com'
  const BOB = 'bob'
  const OWNED = '😀x😀'

  test.each<[string, string[]]>([
    // Absent and multi-valued attributes.
    ['title pr', [ANN]],
    ['title eq null', [BOB, OWNED]],
    ['title ne null', [ANN]],
    ['title ne "x"', [ANN, BOB, OWNED]],
    ['not (title eq "x")', [ANN, BOB, OWNED]],
    ['title gt ""', [ANN]],
    ['emails pr', [ANN, BOB]],
    ['emails eq null', [OWNED]],
    ['emails.value ne "ann@work.example"', [ANN, BOB, OWNED]],
    ['not (emails.value eq "ann@work.example")', [BOB, OWNED]],
    ['not (emails.type pr)', [OWNED]],
    ['emails.display pr', [ANN]],
    ['name pr', [ANN]],
    ['name[givenName eq "ANN"]', [ANN]],
    ['name[not (familyName pr)]', [ANN]],
    // Value paths: one element satisfies it all.
    ['emails[type eq "work" and value eq "ann@home.example"]', []],
    ['emails[type eq "home" and value eq "ANN@home.example"]', [ANN]],
    ['emails[type eq "work"].value eq "ann@work.example"', [ANN]],
    ['emails[type eq "work"].value eq "ann@home.example"', []],
    ['emails[not (value pr)]', [ANN]],
    ['emails[value eq null]', [ANN]],
    ['emails[type ne "home"]', [ANN]],
    ['not (emails[type eq "home"])', [OWNED]],
    // RFC 7643 §2.4: primary is false where it is not said.
    ['emails.primary eq true', [ANN]],
    ['emails.primary eq false', [ANN, BOB]],
    ['emails[primary eq false and type eq "home"]', [ANN, BOB]],
    ['emails[primary ne true]', [ANN, BOB]],
    ['phoneNumbers[primary eq false]', [ANN]],
    ['emails[primary pr]', [ANN]],
    ['phoneNumbers[primary eq null]', []],
    // Booleans.
    ['active eq false', [ANN]],
    ['active eq "False"', [ANN]],
    ['active ne false', [BOB, OWNED]],
    ['active pr', [ANN, BOB, OWNED]],
    [`${badgeSchema.id}:contractor eq false`, [ANN]],
    // meta is columns.
    ['meta.created eq "2026-01-01T01:00:00+01:00"', [ANN]],
    ['meta.lastModified gt "2026-01-01T00:00:00Z"', [BOB, OWNED]],
    ['meta.lastModified ge "2026-01-03T00:00:00.000Z"', [OWNED]],
    ['meta.lastModified lt "2026-01-02T00:00:00Z" or meta.created ge "2026-01-03T00:00:00Z"', [ANN, OWNED]],
    ['meta.resourceType eq "User"', [ANN, BOB, OWNED]],
    ['meta.resourceType eq "user"', []],
    [`meta.location eq "${BASE}/Users/$ann"`, [ANN]],
    ['meta.location ew "$bob"', [BOB]],
    ['meta.version sw "W/"', [ANN, BOB, OWNED]],
    ['meta.version eq null', []],
    ['meta[created gt "2026-01-02T00:00:00Z"]', [OWNED]],
    ['meta[resourceType eq "User" and lastModified lt "2026-01-02T00:00:00Z"]', [ANN]],
    ['meta[version pr]', [ANN, BOB, OWNED]],
    ['meta pr', [ANN, BOB, OWNED]],
    ['id eq "$ann"', [ANN]],
    ['id ne "$ann"', [BOB, OWNED]],
    ['id pr', [ANN, BOB, OWNED]],
    // schemas are not stored.
    [`schemas eq "${ENTERPRISE}"`, [ANN, BOB]],
    [`schemas ne "${ENTERPRISE}"`, [ANN, BOB, OWNED]],
    [`not (schemas eq "${ENTERPRISE}")`, [OWNED]],
    ['schemas co "Badge"', [ANN]],
    ['schemas pr', [ANN, BOB, OWNED]],
    ['schemas eq null', []],
    [`schemas[value eq "${ENTERPRISE}"]`, [ANN, BOB]],
    ['schemas[value co "Badge" and value sw "urn:acme"]', [ANN]],
    ['schemas[value pr]', [ANN, BOB, OWNED]],
    ['schemas[value eq null]', []],
    ['schemas[not (value co "core")]', [ANN, BOB]],
    // Groups of a user.
    ['groups.value eq "$staff"', [ANN, BOB, OWNED]],
    ['groups[value eq "$staff" and type eq "DIRECT"]', [ANN, BOB, OWNED]],
    ['groups.display eq "STAFF ö"', [ANN, BOB, OWNED]],
    [`groups.$ref eq "${BASE}/Groups/$staff"`, [ANN, BOB, OWNED]],
    ['groups.type eq "indirect"', []],
    ['groups eq null', []],
    ['groups ne "$ann"', [ANN, BOB, OWNED]],
    // An externalId means something only to the connection that gave it.
    ['externalId eq "Ext-1"', [ANN]],
    ['externalId eq "ext-1"', []],
    ['externalId eq "Ext-2"', []],
    ['externalId pr', [ANN]],
    ['externalId ne "Ext-1"', [BOB, OWNED]],
    ['externalId eq null', [BOB, OWNED]],
    // co, sw, ew: nothing is a pattern, and the empty text is everywhere that there is text.
    ['displayName co "%"', [ANN]],
    ['displayName co "_"', [ANN]],
    ['displayName sw "A%"', []],
    ['displayName ew "_"', [ANN]],
    ['displayName co "ö 1"', [ANN]],
    ['displayName co ""', [ANN, OWNED]],
    ['displayName sw ""', [ANN, OWNED]],
    ['displayName ew ""', [ANN, OWNED]],
    ['title ew "\\\\x"', [ANN]],
    ['emails.value ew ""', [ANN, BOB]],
    ['emails ew ".example"', [ANN, BOB]],
    // A character beyond the BMP is one.
    ['userName sw "😀"', [OWNED]],
    ['userName ew "x😀"', [OWNED]],
    ['userName ew "😀"', [OWNED]],
    // Order is by code point: beyond the BMP comes after it, though its UTF-16 units do not.
    ['userName gt "\\ue000"', [OWNED]],
    ['displayName lt "😀"', [ANN, OWNED]],
    // RFC-16: a version says nothing of which resource it is.
    [`groups.$ref eq "${BASE.replace('/v2', '')}/Groups/$staff"`, [ANN, BOB, OWNED]],
    [`groups.$ref ne "${BASE.replace('/v2', '/v1')}/Groups/$staff"`, []],
    [`groups[$ref eq "${BASE.replace('/v2', '/v1')}/Groups/$staff"]`, [ANN, BOB, OWNED]],
    [`groups.$ref sw "${BASE.replace('/v2', '')}/Groups"`, []],
    [`groups.$ref co "/v2/"`, [ANN, BOB, OWNED]],
    [`${ENTERPRISE}:manager.$ref eq "${BASE.replace('/v2', '')}/Users/$ann"`, [BOB]],
    // The enterprise extension.
    [`${ENTERPRISE}:department eq "r&d"`, [ANN]],
    [`${ENTERPRISE}:manager.value eq "M1"`, [ANN]],
    [`${ENTERPRISE}:manager eq "M1"`, [ANN]],
    [`${ENTERPRISE}:manager[value eq "M1"]`, [ANN]],
    [`${ENTERPRISE}:manager pr`, [ANN, BOB]],
    [`not (${ENTERPRISE}:manager.value pr)`, [OWNED]],
    // What the service says of the manager is what it is asked for; a manager who is not there has none of it.
    [`${ENTERPRISE}:manager.value eq "$ann"`, [BOB]],
    [`${ENTERPRISE}:manager.displayName eq "ANN ö 100%_"`, [BOB]],
    [`${ENTERPRISE}:manager.displayName co "Ö"`, [BOB]],
    [`${ENTERPRISE}:manager.displayName ne "x"`, [ANN, BOB, OWNED]],
    [`${ENTERPRISE}:manager.displayName eq null`, [ANN, OWNED]],
    [`${ENTERPRISE}:manager[displayName sw "ann" and value eq "$ann"]`, [BOB]],
    [`${ENTERPRISE}:manager[not (displayName pr)]`, [ANN]],
    [`${ENTERPRISE}:manager.$ref eq "${BASE}/Users/$ann"`, [BOB]],
    [`${ENTERPRISE}:manager.$ref pr`, [BOB]],
    [`${ENTERPRISE}:manager[$ref eq null]`, [ANN]],
    ['employeeNumber eq "701984"', [BOB]],
    [`${ENTERPRISE}:employeeNumber ne "701984"`, [ANN, OWNED]],
    // Lists of simple values, numbers and times of an extension.
    [`${badgeSchema.id}:tags eq "RED"`, [ANN]],
    [`${badgeSchema.id}:tags[value eq "red" and value eq "blue"]`, []],
    [`${badgeSchema.id}:counts eq 0`, [ANN]],
    [`${badgeSchema.id}:counts pr`, [ANN]],
    [`${badgeSchema.id}:level ge 9.5 and ${badgeSchema.id}:level lt 1e2`, [ANN]],
    [`${badgeSchema.id}:hired eq "2025-12-31T23:00:00-01:00"`, [ANN]],
  ])('users: %s', async (text, expected) => {
    expect(await found(types.User, text)).toEqual(expected)
  })

  test.each<[string, string[]]>([
    ['members.value eq "$ann"', ['Staff Ö']],
    ['members eq "$staff"', ['Parents']],
    ['members[value eq "$bob"]', ['Staff Ö']],
    ['members.type eq "group"', ['Parents']],
    ['members[type eq "User" and value eq "$staff"]', []],
    ['members.display eq "ann ö 100%_"', ['Staff Ö']],
    // The display of a member without displayName is its userName.
    ['members.display eq "BOB"', ['Staff Ö']],
    ['members[value eq "$bob" and display pr]', ['Staff Ö']],
    [`members.$ref eq "${BASE}/Users/$ann"`, ['Staff Ö']],
    [`members.$ref sw "${BASE}/Groups"`, ['Parents']],
    ['members pr', ['Staff Ö', 'Parents']],
    ['members eq null', ['Empty']],
    ['members.value ne "$ann"', ['Staff Ö', 'Empty', 'Parents']],
    ['displayName eq "STAFF Ö"', ['Staff Ö']],
    ['externalId eq "Ext-1"', ['Empty']],
    ['meta.resourceType eq "Group" and not (members pr)', ['Empty']],
  ])('groups: %s', async (text, expected) => {
    expect(await found(types.Group, text)).toEqual(expected)
  })

  /** `inner` in so many parentheses; what is around it leaves the answer to it. */
  function nested(
    depth: number,
    inner: string,
    how: 'and' | 'mixed' | 'not' | 'not or' | 'both',
    name = 'userName',
  ) {
    let text = inner
    for (let level = 0; level < depth; level++) {
      const or = `${name} eq "x" or (${text})`
      const and = `${name} pr and (${text})`
      if (how === 'not') text = `not (${text})`
      else if (how === 'not or') text = `not (${name} eq "x" or ${text})`
      else if (how === 'both') text = level % 2 ? `(${text}) and ${name} pr` : or
      else text = how === 'mixed' && level % 2 ? or : and
    }
    return text
  }
  const many = (count: number, term: (i: number) => string, word: string) =>
    Array.from({ length: count }, (_, i) => term(i)).join(` ${word} `)

  test.each<[string, string, string[]]>([
    ['32 levels of not', nested(32, 'userName eq "bob"', 'not'), [BOB]],
    ['32 levels of and', nested(32, 'userName eq "bob"', 'and'), [BOB]],
    ['32 levels of and and or', nested(32, 'userName eq "bob"', 'mixed'), [BOB]],
    ['30 levels around brackets', nested(30, 'emails[not (value eq "bob@work.example")]', 'mixed'), [ANN]],
    ['31 levels in brackets', `emails[${nested(31, 'value eq "bob@work.example"', 'mixed', 'type')}]`, [BOB]],
    ['32 levels of not and or', nested(32, 'userName eq "bob"', 'not or'), [BOB]],
    ['32 levels, the deepest last and first', nested(32, 'userName eq "bob"', 'both'), [BOB]],
    ['50 terms joined by or', many(50, i => `title eq "t${i}"`, 'or'), []],
    ['50 terms joined by and', many(50, () => 'title sw "c"', 'and'), [ANN]],
    ['50 different texts', many(50, i => `title ne "t${i}"`, 'and'), [ANN, BOB, OWNED]],
    ['50 indexed values', many(50, i => `userName eq "${i === 44 ? 'BOB' : i}"`, 'or'), [BOB]],
    ['6 indexed values', many(6, i => `emails.value eq "${i ? i : 'bob@work.example'}"`, 'or'), [BOB]],
    ['50 values of the connection', many(50, i => `externalId eq "Ext-${i}"`, 'or'), [ANN]],
    ['50 differing multi-values', many(50, i => `emails.value ne "x${i}"`, 'and'), [ANN, BOB, OWNED]],
    ['50 schemas', many(50, i => `schemas ne "x${i}"`, 'and'), [ANN, BOB, OWNED]],
    ['50 references', many(50, i => `groups.$ref ne "x${i}"`, 'and'), [ANN, BOB, OWNED]],
    ['50 in brackets', `emails[${many(50, i => `value ne "x${i}"`, 'and')}]`, [ANN, BOB]],
  ])('the largest filters are answered: %s', async (_, text, expected) => {
    const type = types.User
    expect((await disagreement(tenant, type, users, text)) ?? '').toBe('')
    const { resources } = await listed(tenant, type, parseFilter(text, type, interop))
    expect(resources.map(({ userName }) => userName)).toEqual(expected)
  })
})
