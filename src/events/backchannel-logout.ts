// OpenID Connect Back-Channel Logout 1.0: a logout token that ends all sessions of a person at one relying party.
import { isObject, type Json } from '../scim/json'
import { endingEvents } from './ending-events'
import type { ReceiverKind } from './receiver-kind'
import { SIMPLE_SUBJECTS, subjectValue } from './subject'
import { USER_AGENT } from './webhook'

const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout'
const LIFETIME_SECONDS = 120

export const backchannelLogout: ReceiverKind = {
  kind: 'backchannel-logout',
  isSigned: true,
  fields: { clientId: 'required', subject: 'optional' },
  subjects: SIMPLE_SUBJECTS,
  events: endingEvents,
  messages: () => 1,
  async request(event, receiver, now) {
    const iat = Math.floor(now / 1000)
    const token = await receiver.signer.sign('logout+jwt', {
      iss: receiver.issuer,
      aud: receiver.settings.clientId ?? '',
      iat,
      exp: iat + LIFETIME_SECONDS,
      jti: event.id,
      sub: subjectValue(event, receiver),
      events: { [LOGOUT]: {} },
    })
    return {
      url: receiver.url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': USER_AGENT },
      body: new URLSearchParams({ logout_token: token }).toString(),
    }
  },
  refusal: (status, answer) =>
    status === 400 ? `it refuses the logout token${codeIn(answer)}, or could not log out` : undefined,
}

/** The code of OAuth's error bodies that the standard names; nothing else a receiver says is repeated. */
function codeIn(answer: Json | undefined): string {
  return isObject(answer) && answer.error === 'invalid_request' ? ' (invalid_request)' : ''
}
