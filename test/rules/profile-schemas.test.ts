// The JSON Schemas of profiles and mappings: the files are what the code says, the examples are what the files say, and
// docs/profiles.md names every part. `npm run schemas` writes the files anew.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { schemaFile, schemaFiles } from '../../src/http/document-schemas'

const root = fileURLToPath(new URL('../..', import.meta.url))
const at = (name: string) => `${root}/examples/profiles/${name}`
const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
}

/** Paths of all properties: `user.fields[].maxLength`. */
function propertiesOf(schema: JsonSchema, path = ''): string[] {
  const { properties = {}, items, anyOf = [] } = schema
  return [
    ...Object.entries(properties).flatMap(([name, property]) => {
      const here = path === '' ? name : `${path}.${name}`
      return [here, ...propertiesOf(property, here)]
    }),
    ...(items ? propertiesOf(items, `${path}[]`) : []),
    ...anyOf.flatMap(one => propertiesOf(one, path)),
  ]
}

/** Properties whose last name the page never says as code. */
function unnamed(page: string, properties: readonly string[]): string[] {
  const code = [...page.matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => words)
  const named = new Set(code.flatMap(words => words.split(/[^\w$]+/)))
  return properties.filter(path => !named.has(path.split('.').at(-1) ?? ''))
}

describe.each(schemaFiles)('%s', name => {
  it('is what the code says (npm run schemas writes it anew)', async () => {
    await expect(schemaFile(name)).toMatchFileSnapshot(at(name))
  })

  it('has every property named in docs/profiles.md', () => {
    const properties = propertiesOf(JSON.parse(schemaFile(name) ?? '') as JsonSchema)
    expect(properties.length).toBeGreaterThan(5)
    expect(unnamed(text(`${root}/docs/profiles.md`), properties)).toEqual([])
  })
})

it('a property that the page does not name is found', () => {
  const properties = propertiesOf({
    properties: { user: { properties: { fields: { items: { properties: { source: {} } } } } } },
  })
  expect(properties).toEqual(['user', 'user.fields', 'user.fields[].source'])
  expect(unnamed('`user.fields`, and source in words', properties)).toEqual(['user.fields[].source'])
})

it('every example points to the schema beside it', () => {
  const examples = readdirSync(at('')).filter(
    name => name.endsWith('.json') && !name.endsWith('.schema.json'),
  )
  expect(examples.length).toBeGreaterThanOrEqual(5)
  for (const name of examples) {
    const { $schema, name: own } = JSON.parse(text(at(name))) as { $schema: string; name: string }
    expect([name, $schema]).toEqual([`${own}.json`, './profile.schema.json'])
  }
})
