// The Worker: three hand-offs. HTTP to the app, messages to the consumer, the clock to the sweep.
import { continueAdoption } from './administration/adoption'
import { continueJob } from './administration/jobs'
import { serviceOf } from './env'
import { alarm } from './events/alarm'
import { sealAll } from './events/chain'
import { consume } from './events/consume'
import { buryDeadLetters, isDeadLetterQueue } from './events/dead-letter'
import { prune, sweep } from './events/sweep'
import { app } from './http/app'
import { inTurn } from './storage/in-turn'

export default {
  fetch: app.fetch,

  async queue(batch, env, ctx) {
    const service = await serviceOf(env)
    if (isDeadLetterQueue(batch.queue)) return buryDeadLetters(batch, service)
    return consume(batch, service, ctx, pointer =>
      'profile' in pointer ? continueAdoption(service, pointer.profile) : continueJob(service, pointer),
    )
  },

  async scheduled(_controller, env) {
    const service = await serviceOf(env)
    await inTurn([sweep, alarm, sealAll, prune].map(part => () => part(service)))
  },
} satisfies ExportedHandler<Env>
