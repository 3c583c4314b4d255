// Credentials of two forms side by side: what one says, and that neither is ever taken for the other.
import { describe, expect, it } from 'vitest'
import { mintCredential, readCredential } from '../../src/storage/credential'
import { keysOf } from '../../src/storage/keys'

const keys = await keysOf('secret-key-for-tests-0123456789abcdef')
const red = { prefix: 'red_', ids: ['tenantId', 'keyId'] } as const
const blue = { prefix: 'blue_', ids: ['tenantId', 'keyId'] } as const
const ids = { tenantId: crypto.randomUUID(), keyId: crypto.randomUUID() }

describe('a credential', () => {
  it('says what it was minted with, also to an isolate that has not minted it', async () => {
    const { value, claims } = await mintCredential(keys, red, ids)
    expect(claims).toEqual({ ...ids, hash: expect.stringMatching(/^[0-9a-f]{64}$/), hint: value.slice(-4) })
    const elsewhere = { ...keys }
    expect(await readCredential(elsewhere, red, value)).toEqual(claims)
    expect(await readCredential(elsewhere, red, value)).toEqual(claims)
  })

  it('has a secret of its own, whatever its ids', async () => {
    const [one, other] = [await mintCredential(keys, red, ids), await mintCredential(keys, red, ids)]
    expect(one.value).not.toBe(other.value)
    expect(one.claims.hash).not.toBe(other.claims.hash)
  })

  it('of one form is none of another, even under the prefix of the other', async () => {
    const { value } = await mintCredential(keys, red, ids)
    expect(await readCredential(keys, blue, value)).toBeUndefined()
    expect(await readCredential(keys, blue, value.replace('red_', 'blue_'))).toBeUndefined()
  })

  it('counts under the key it was minted with only', async () => {
    const { value } = await mintCredential(keys, red, ids)
    const otherKeys = await keysOf('another-secret-key-0123456789abcdef')
    expect(await readCredential(otherKeys, red, value)).toBeUndefined()
  })

  it('with any character changed is none', async () => {
    const { value } = await mintCredential(keys, red, ids)
    for (let at = 0; at < value.length; at++) {
      const forged = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
      expect(await readCredential(keys, red, forged)).toBeUndefined()
    }
  })
})
