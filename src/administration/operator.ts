// Who may use the admin API: whoever has the deployment's one admin token.
import type { Service } from '../env'
import { sameText } from '../storage/keys'

export function isOperator(service: Service, token: string): Promise<boolean> {
  return sameText(token, service.adminToken)
}
