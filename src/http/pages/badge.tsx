// A state in one word and one colour; the word says it all.

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'quiet'

const tones: Readonly<Record<string, Tone>> = {
  active: 'ok',
  ok: 'ok',
  delivered: 'ok',
  working: 'ok',
  done: 'ok',
  running: 'info',
  pending: 'info',
  retrying: 'warn',
  paused: 'warn',
  suspended: 'warn',
  rejected: 'warn',
  silent: 'warn',
  'never called': 'quiet',
  unauthorized: 'bad',
  error: 'bad',
  dead: 'bad',
  failing: 'bad',
  disabled: 'quiet',
  inactive: 'quiet',
  deleted: 'quiet',
  deleting: 'bad',
  expired: 'quiet',
  revoked: 'quiet',
  privileged: 'warn',
}

export function Badge({ state, tone }: { state: string; tone?: Tone }) {
  return <span class={`badge ${tone ?? tones[state] ?? 'quiet'}`}>{state}</span>
}
