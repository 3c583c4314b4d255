// The bearer secret of an SSF stream: by it a receiver polls, and asks about its stream. It names the receiver.
import { toBase64Url } from '../storage/keys'

const PREFIX = 'ssf_'
const SECRET_BYTES = 32

export function newStreamSecret(receiverId: string): string {
  return `${PREFIX}${receiverId}_${toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))}`
}

/** Whose secret the text claims to be; undefined where it is none. */
export function receiverNamedBy(secret: string): string | undefined {
  return /^ssf_([0-9a-f-]{36})_[\w-]{43}$/.exec(secret)?.[1]
}
