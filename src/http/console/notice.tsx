// What was done, said on the page that one is led to afterwards: the address names it, and can say nothing else.

const notices: Readonly<Record<string, string>> = {
  created: 'Created.',
  saved: 'Saved.',
  deleted: 'Deleted.',
  deleting: 'It is being deleted. Its users are deactivated first, which ends their sessions.',
  suspended: 'Suspended. The sessions of everybody who has access are being ended.',
  resumed: 'Active again. Sessions that were ended stay ended.',
  revoked: 'Revoked. It stopped working at once.',
  'sessions-revoked': 'The sessions were ended, and the receivers are being told.',
  paused: 'Paused. What happens meanwhile waits for it.',
  'receiver-resumed': 'Active. What has waited is being sent.',
  replayed: 'It is being sent again.',
  'replayed-some': 'Five hundred are being sent again. There are more: send again to take the next.',
  'nothing-to-replay': 'There was nothing to send again.',
  releasing: 'They are being deleted, and their sessions ended.',
  'rolling-back': 'They are being brought back.',
  published: 'Published. It counts from the next request on.',
  'rolled-back': 'The earlier version is published again, as a version of its own.',
  'signed-in': 'You are signed in.',
}

export function Notice({ name }: { name: string | undefined }) {
  const text = name !== undefined && Object.hasOwn(notices, name) ? notices[name] : undefined
  if (text === undefined) return null
  return (
    <div class="notice ok" role="status" tabindex={-1}>
      {text}
    </div>
  )
}

/** The page that the notice stands on. */
export function done(path: string, name: keyof typeof notices): string {
  return `${path}?done=${name}`
}
