// SSF by poll (RFC 8936): the receiver fetches its SETs, and says of each whether it has it.
import { type ReceiverKind, Unsendable } from './receiver-kind'
import { countSets, setEvents, setFields, setSubjects } from './security-event-token'
import { newStreamSecret } from './stream-secret'

export const POLL_METHOD = 'urn:ietf:rfc:8936'

export const ssfPoll: ReceiverKind = {
  kind: 'ssf-poll',
  isPolled: true,
  isSigned: true,
  fields: setFields,
  subjects: setSubjects,
  events: setEvents,
  messages: countSets,
  request: async () => {
    throw new Unsendable('a receiver that polls is never called')
  },
  newSecret: newStreamSecret,
}
