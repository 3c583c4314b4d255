// The kinds of receivers there are: one file a kind, entered here.
import { backchannelLogout } from './backchannel-logout'
import { globalTokenRevocation } from './global-token-revocation'
import type { ReceiverKind } from './receiver-kind'
import { ssfPoll } from './ssf-poll'
import { ssfPush } from './ssf-push'
import { webhook } from './webhook'

const kinds: ReadonlyMap<string, ReceiverKind> = new Map(
  [webhook, ssfPush, ssfPoll, backchannelLogout, globalTokenRevocation].map(kind => [kind.kind, kind]),
)

export const receiverKinds: readonly string[] = [...kinds.keys()]

export function receiverKind(name: string): ReceiverKind | undefined {
  return kinds.get(name)
}
