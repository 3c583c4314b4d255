// A failure inside, as a client is told of it: what became of its request, and nothing of what failed.
import { ScimError } from '../scim/error'
import { isUnavailable, wasRolledBack } from '../storage/tenant-database'
import { isOutdated } from './access'

/**
 * 503 where sending it again is all there is to do, 500 with a number for the logs otherwise. `readsOnly`: the request
 * could not have changed anything.
 */
export function internalError(error: unknown, requestId: string, readsOnly = false): ScimError {
  const name = error instanceof Error ? error.name : 'unknown'
  const message = error instanceof Error ? error.message.slice(0, 300) : ''
  console.error(JSON.stringify({ message: 'request failed', requestId, error: name, reason: message }))
  if (isOutdated(error) || isUnavailable(error))
    return new ScimError(503, undefined, 'The service is busy; send the request again.', {
      'Retry-After': '2',
    })
  // The commit may have been made, and only its answer lost.
  const changed =
    readsOnly || wasRolledBack(error)
      ? 'nothing was changed'
      : 'whether anything was changed is not known, so read before you send it again'
  return new ScimError(500, undefined, `An internal error; ${changed}. Its number is ${requestId}.`)
}
