// What a mapping would do to the users that there are, in figures, in gains and losses, and in examples.
import { MOST_TRIED_UNASKED } from '../../administration/mapping-trial'
import type { MappingPreview } from '../../administration/mappings'
import { Errors, type FormState } from '../pages/form'
import { Table, TableRow } from '../pages/table'
import { Figure } from './overview'

type Example = MappingPreview['examples'][number]
/** Of the gains and losses, those that one sentence holds. */
const MOST_NAMED = 6
/** Roles or target groups that are listed. */
const MOST_LISTED = 50

type Shift = MappingPreview['roles'][number]

/** Where the page has it. */
export const PREVIEW = 'preview'

/** Stays where it is while what it shows changes, so that the sentence alone is read out. */
export function Preview({
  users,
  preview,
  state,
  fields,
}: {
  /** How many would be read. */
  users: number
  preview: MappingPreview | undefined
  /** With what is wrong, if it could not be tried. */
  state: FormState
  fields: readonly string[]
}) {
  return (
    <section class="card" aria-label="Preview" id={PREVIEW} tabindex={-1}>
      <h2>What it would do</h2>
      <Occasion users={users} />
      <div id="preview-sentence" data-live-part aria-live="polite">
        {preview && <Sentence preview={preview} />}
        {!preview && !state.problem && <p class="muted">Nothing has been tried yet.</p>}
        <Errors
          state={state}
          fields={fields}
          title="It cannot be tried like this. Nothing was changed."
          isReadOut
        />
      </div>
      <div id="preview-details" data-live-part class="stack">
        {preview && <Details preview={preview} />}
      </div>
    </section>
  )
}

function Occasion({ users }: { users: number }) {
  if (users > MOST_TRIED_UNASKED)
    return (
      <p class="small muted">
        It is not tried while you type: that would read all {users.toLocaleString('en')} users of the tenant
        each time, and is done for up to {MOST_TRIED_UNASKED.toLocaleString('en')}. Press the button to try
        it.
      </p>
    )
  return (
    <p class="small muted" data-with-script hidden>
      It is tried on the users that there are whenever you stop typing for a moment.
    </p>
  )
}

function Sentence({ preview }: { preview: MappingPreview }) {
  const { invalid } = preview.users
  return (
    <div class={invalid > 0 ? 'notice bad' : 'notice'}>
      <strong class="break">{inWords(preview)}</strong>
      <p>
        Nothing is written yet.
        {invalid > 0 && ' As long as users would be refused it cannot be published.'}
      </p>
    </div>
  )
}

function Details({ preview: { users, roles, targetGroups, examples } }: { preview: MappingPreview }) {
  return (
    <>
      <dl class="figures">
        <Figure name="Users unchanged" value={users.unchanged.toLocaleString('en')} />
        <Figure name="Users changed" value={users.changed.toLocaleString('en')} />
        <Figure
          name="Users refused"
          value={users.invalid.toLocaleString('en')}
          tone={users.invalid > 0 ? 'bad' : ''}
        />
      </dl>
      <Shifts title="Roles" shifts={roles} />
      <Shifts title="Target groups" shifts={targetGroups} />
      {examples.length > 0 && (
        <>
          <h3>Examples</h3>
          <Table label="Examples" columns={['Person', 'Now', 'Then', 'In the way']}>
            {examples.map(example => (
              <TableRow>
                <th scope="row" class="break">
                  {example.userName}
                </th>
                <td class="break">
                  <Seen seen={example.before} other={example.after} />
                </td>
                <td class="break">
                  <Seen seen={example.after} other={example.before} />
                </td>
                <td class="break">{example.problems.join('; ') || '—'}</td>
              </TableRow>
            ))}
          </Table>
        </>
      )}
    </>
  )
}

/** `2 users would be refused. 12 gain ADMIN, 3 lose OWNER, 5 come to Sales.` */
function inWords(preview: MappingPreview): string {
  const { invalid } = preview.users
  const refused = `${invalid.toLocaleString('en')} ${invalid === 1 ? 'user' : 'users'} would be refused. `
  return `${invalid > 0 ? refused : ''}${changesInWords(preview)}`
}

function changesInWords({ users, roles, targetGroups }: MappingPreview): string {
  const people = (n: number, verb: string) => `${n.toLocaleString('en')} ${verb}${n === 1 ? 's' : ''}`
  const role = roles.flatMap(({ name, gains, loses }) => [
    ...(gains > 0 ? [`${people(gains, 'gain')} ${name}`] : []),
    ...(loses > 0 ? [`${people(loses, 'lose')} ${name}`] : []),
  ])
  const group = targetGroups.flatMap(({ name, gains, loses }) => [
    ...(gains > 0 ? [`${people(gains, 'come')} to ${name}`] : []),
    ...(loses > 0 ? [`${people(loses, 'leave')} ${name}`] : []),
  ])
  const parts = [...role, ...group]
  const named = parts.slice(0, MOST_NAMED).join(', ')
  const more = parts.length > MOST_NAMED ? `, and ${parts.length - MOST_NAMED} further changes` : ''
  if (parts.length > 0) return `${named}${more}.`
  if (users.changed === 0) return 'Nobody would change.'
  const changed =
    users.changed === 1 ? '1 user changes' : `${users.changed.toLocaleString('en')} users change`
  return `${changed}; nobody gains or loses a role or a target group.`
}

/** As gains and losses, one name a line. */
function Shifts({ title, shifts }: { title: string; shifts: readonly Shift[] }) {
  if (shifts.length === 0) return null
  return (
    <div class="stack tight">
      <h3>{title}</h3>
      <ul class="plain-list">
        {shifts.slice(0, MOST_LISTED).map(({ name, gains, loses }) => (
          <li class="break">
            <strong>{name}</strong>{' '}
            <span class="shift">
              {gains > 0 && <span class="gain">{gains.toLocaleString('en')} gain it</span>}
              {loses > 0 && <span class="loss">{loses.toLocaleString('en')} lose it</span>}
            </span>
          </li>
        ))}
        {shifts.length > MOST_LISTED && (
          <li class="muted">and {(shifts.length - MOST_LISTED).toLocaleString('en')} further ones</li>
        )}
      </ul>
    </div>
  )
}

/** Only what differs from the other. */
function Seen({ seen, other }: { seen: Example['before']; other: Example['before'] }) {
  const names = new Set([...Object.keys(seen.profile), ...Object.keys(other.profile)])
  const differing = [...names].filter(
    name => JSON.stringify(seen.profile[name]) !== JSON.stringify(other.profile[name]),
  )
  const lines = [
    ...differing.map(name => [name, seen.profile[name]] as const),
    ...(seen.role === other.role ? [] : [['role', seen.role] as const]),
    ...(seen.targetGroup === other.targetGroup ? [] : [['target group', seen.targetGroup] as const]),
  ]
  if (lines.length === 0) return <span class="muted">the same</span>
  return (
    <ul class="plain-list small">
      {lines.map(([name, value]) => (
        <li>
          <span class="muted">{name}</span>{' '}
          {value === undefined || value === null
            ? '—'
            : typeof value === 'string'
              ? value
              : JSON.stringify(value)}
        </li>
      ))}
    </ul>
  )
}
