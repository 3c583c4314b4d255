// Deleting what has active users: the box that deactivates them first, and the refusal without it.
import { Problem } from '../../administration/problem'
import { Checkbox } from '../pages/form'

const NAME = 'deactivateUsers'

export function DeactivateUsers() {
  return <Checkbox name={NAME} label="Deactivate its active users first, which ends their sessions" />
}

export function deactivatesUsers(form: URLSearchParams): boolean {
  return form.get(NAME) === 'true'
}

/** What the API says by a parameter, the form says by its box. */
export function inWordsOfTheForm(error: unknown): never {
  if (error instanceof Problem && error.status === 409 && error.detail.includes(NAME))
    throw new Problem(
      409,
      error.detail.replace(/ With \?deactivateUsers.*/, ' Tick the box to deactivate them first.'),
    )
  throw error
}
