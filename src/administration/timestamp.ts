// Times as the admin API shows them: ISO 8601, UTC.

export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

export function timestampOrNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : timestamp(milliseconds)
}
