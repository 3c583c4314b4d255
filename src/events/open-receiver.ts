// A receiver made ready to be told: its secrets opened, and the tenant's key at hand where its kind signs.
import type { Service } from '../env'
import type { Databases } from '../storage/databases'
import type { Keys } from '../storage/keys'
import { authorizationContext, receiverSecretContext, type StoredReceiver } from '../storage/receivers'
import { TenantDatabase } from '../storage/tenant-database'
import { type OpenReceiver, type ReceiverKind, Unsendable } from './receiver-kind'
import { type Signer, signerOf } from './signing-keys'

type Surroundings = Databases & Pick<Service, 'keys' | 'now'>

/** Rejects when its secrets were sealed under another SECRET_KEY, or the key cannot be read. */
export async function openReceiver(
  service: Surroundings,
  kind: ReceiverKind,
  receiver: StoredReceiver,
): Promise<OpenReceiver> {
  const { keys, now } = service
  const { tenantId, id, url, settings } = receiver
  const [secrets, authorization, signer] = await Promise.all([
    openSecrets(keys, receiver, now()),
    receiver.authorization === null
      ? undefined
      : keys.open(receiver.authorization, authorizationContext(receiver)),
    kind.isSigned ? signerOf(service, new TenantDatabase(service, tenantId)) : unsigned,
  ])
  return { tenantId, id, url, secrets, settings, authorization, issuer: receiver.issuer ?? '', signer }
}

/** The secret, and during a rotation's overlap the one before it; none for a kind without secrets. */
export async function openSecrets(keys: Keys, receiver: StoredReceiver, now: number): Promise<string[]> {
  const { secret, previousSecret, previousSecretUntil } = receiver
  const overlaps = previousSecret !== null && previousSecretUntil !== null && previousSecretUntil > now
  const sealed = [secret, overlaps ? previousSecret : null].filter(text => text !== null)
  return Promise.all(sealed.map(text => keys.open(text, receiverSecretContext(receiver))))
}

const unsigned: Signer = {
  sign: () => Promise.reject(new Unsendable('nothing is signed for a receiver of this kind')),
}
