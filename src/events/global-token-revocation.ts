// Global Token Revocation (draft-parecki-oauth-global-token-revocation): the request of Okta's Universal Logout.
import { endingEvents } from './ending-events'
import type { ReceiverKind } from './receiver-kind'
import { SIMPLE_SUBJECTS, subjectIdentifier } from './subject'
import { USER_AGENT } from './webhook'

const TYPE = 'global-token-revocation+jwt'
/** It counts this long before and after it was made: clocks differ. */
const LEEWAY_SECONDS = 300

export const globalTokenRevocation: ReceiverKind = {
  kind: 'global-token-revocation',
  isSigned: true,
  fields: { clientId: 'required', subject: 'optional' },
  subjects: SIMPLE_SUBJECTS,
  events: endingEvents,
  messages: () => 1,
  async request(event, receiver, now) {
    const iat = Math.floor(now / 1000)
    const token = await receiver.signer.sign(TYPE, {
      iss: receiver.issuer,
      sub: receiver.settings.clientId ?? '',
      aud: withoutQuery(receiver.url),
      iat,
      nbf: iat - LEEWAY_SECONDS,
      exp: iat + LEEWAY_SECONDS,
      jti: event.id,
    })
    return {
      url: receiver.url,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': USER_AGENT,
      },
      body: JSON.stringify({ sub_id: subjectIdentifier(event, receiver) }),
    }
  },
  refusal: status => MEANINGS[status],
}

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'it cannot read the request, or does not know this form of subject',
  401: 'it refuses the signature or the claims of the token',
  403: 'the token is not enough for it',
  404: 'it knows no such person',
  422: 'it cannot log the person out',
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
