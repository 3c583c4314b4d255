// What every route finds in its context.
import type { Service } from '../env'

export interface AppEnv {
  Bindings: object
  Variables: { service: Service }
}
