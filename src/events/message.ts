// What travels through the Queue: pointers, never data (a message holds 128 KB, an event may hold more).
import * as z from 'zod'

export const messageSchema = z.union([
  /** One event for one receiver: the primary key of its delivery. */
  z.object({ tenantId: z.string(), sequence: z.number().int(), receiverId: z.string() }),
  /** The next tenants that get the newest version of a profile. */
  z.object({ profile: z.string() }),
  /** The next step of a job. */
  z.object({ tenantId: z.string(), jobId: z.string() }),
])

export type Message = z.infer<typeof messageSchema>
export type DeliveryPointer = Extract<Message, { receiverId: string }>
export type ProfilePointer = Extract<Message, { profile: string }>
export type JobPointer = Extract<Message, { jobId: string }>
/** What goes on step by step. */
export type WorkPointer = JobPointer | ProfilePointer
