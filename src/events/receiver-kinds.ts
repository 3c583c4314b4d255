// The kinds of receivers there are: one file a kind, entered here.
import type { ReceiverKind } from './receiver-kind'
import { webhook } from './webhook'

const kinds: ReadonlyMap<string, ReceiverKind> = new Map([webhook].map(kind => [kind.kind, kind]))

export const receiverKinds: readonly string[] = [...kinds.keys()]

export function receiverKind(name: string): ReceiverKind | undefined {
  return kinds.get(name)
}
