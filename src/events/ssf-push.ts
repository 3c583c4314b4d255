// SSF by push (RFC 8935): each SET is POSTed by itself to the receiver.
import { isObject, type Json } from '../scim/json'
import type { ReceiverKind } from './receiver-kind'
import { countSets, SET_TYPE, setEvents, setFields, setSubjects, signSet } from './security-event-token'
import { newStreamSecret } from './stream-secret'
import { USER_AGENT } from './webhook'

export const PUSH_METHOD = 'urn:ietf:rfc:8935'

export const ssfPush: ReceiverKind = {
  kind: 'ssf-push',
  isSigned: true,
  fields: { ...setFields, authorizationHeader: 'optional' },
  subjects: setSubjects,
  events: setEvents,
  messages: countSets,
  async request(event, receiver, _now, message = 0) {
    return {
      url: receiver.url,
      headers: {
        'content-type': `application/${SET_TYPE}`,
        accept: 'application/json',
        'user-agent': USER_AGENT,
        ...(receiver.authorization !== undefined && { authorization: receiver.authorization }),
      },
      body: await signSet(event, receiver, message),
    }
  },
  refusal: (status, answer) => (status === 400 ? setErrorInWords(answer) : undefined),
  newSecret: newStreamSecret,
}

/** The error codes of RFC 8935 §2.4 and SSF 1.0. */
const ERRORS: Readonly<Record<string, string>> = {
  invalid_request: 'it cannot read the SET',
  invalid_key: 'it refuses the key or the signature',
  invalid_issuer: 'it does not know the issuer',
  invalid_audience: 'it is not the audience',
  authentication_failed: 'it refuses the Authorization header',
  access_denied: 'the Authorization header is not enough for it',
  invalid_state: 'it expected another state',
}

/** `{"err": …}` in words of ours: nothing a receiver says is repeated. */
export function setErrorInWords(answer: Json | undefined): string | undefined {
  const code = isObject(answer) && typeof answer.err === 'string' ? answer.err : undefined
  if (code === undefined) return undefined
  const words = Object.hasOwn(ERRORS, code) ? ERRORS[code] : undefined
  return words === undefined ? 'it gives an error code that RFC 8935 does not have' : `${words} (${code})`
}
