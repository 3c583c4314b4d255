// The first steps of a job, taken before the operator is answered, so that a short one is done by then.
import type { Service } from '../env'
import { continueJob } from './jobs'

/** Never rejects: the job's row is committed and due, so the sweep takes up what fails here. */
export async function beginJob(
  service: Service,
  pointer: { tenantId: string; jobId: string },
): Promise<void> {
  try {
    await continueJob(service, pointer)
  } catch (error) {
    const text = error instanceof Error ? error.message : 'not an Error'
    console.error(JSON.stringify({ log: 'job-left-to-sweep', ...pointer, error: text }))
  }
}
