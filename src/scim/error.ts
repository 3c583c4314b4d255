// The one error of the protocol (RFC 7644 §3.12) and its body.
import { type HelpTopic, topicOfScimType, topicOfStatus } from './help'

/** Table 9 of RFC 7644 and the three of RFC 9865 §2.1. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'sensitive'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount'

export const ERROR_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:Error'

/**
 * A refusal that the client is told. `detail` is read by an IT admin in the identity provider's log: it names
 * the attribute or the place, the rule, and what would be accepted; it never quotes more than 80 characters.
 */
export class ScimError extends Error {
  constructor(
    readonly status: number,
    readonly scimType: ScimType | undefined,
    readonly detail: string,
    /** Header fields the reply must carry (WWW-Authenticate, Allow, Retry-After). */
    readonly headers: Readonly<Record<string, string>> = {},
    /** What the detail quotes of the client's input: it may be somebody's address. */
    private readonly quoted = '',
    /** The section of docs/troubleshooting.md for whoever has to put it right. */
    readonly help: HelpTopic = topicOf(status, scimType),
  ) {
    super(detail)
    this.name = 'ScimError'
  }

  /** The detail for logs: without what it quotes. */
  get loggedDetail(): string {
    return this.quoted === '' ? this.detail : this.detail.replace(this.quoted, '…')
  }

  /** The same refusal, saying in which part of the request. */
  within(place: string): ScimError {
    return this.#with(`${place}: ${this.detail}`, this.help)
  }

  /** The same refusal, explained elsewhere than its status and scimType say. */
  about(help: HelpTopic): ScimError {
    return this.#with(this.detail, help)
  }

  #with(detail: string, help: HelpTopic): ScimError {
    return new ScimError(this.status, this.scimType, detail, this.headers, this.quoted, help)
  }

  /** The wire body; `status` is a string (RFC 7644 §3.12). */
  body(): { schemas: string[]; status: string; scimType?: ScimType; detail: string } {
    return {
      schemas: [ERROR_SCHEMA],
      status: String(this.status),
      ...(this.scimType && { scimType: this.scimType }),
      detail: this.detail,
    }
  }
}

function topicOf(status: number, scimType: ScimType | undefined): HelpTopic {
  if (scimType !== undefined) return topicOfScimType[scimType]
  return Object.hasOwn(topicOfStatus, status)
    ? topicOfStatus[status as keyof typeof topicOfStatus]
    : 'internal-error'
}
