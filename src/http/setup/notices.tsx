// Pages that say why there is nothing to set up, and what to do about it.
import { document } from './layout'

const ask = 'Ask whoever sent you this link: the operator of the service can send another.'

/** The same for a link that has expired, was deleted or replaced, or never was one. */
export function gonePage(): string {
  return document({
    title: 'This link does not work (any more)',
    children: <p>{`It may have expired, been replaced, or not been copied completely. ${ask}`}</p>,
  })
}

export function pausedPage(name: string): string {
  return document({
    title: 'Provisioning is paused',
    name,
    children: (
      <p>
        The operator of the service has paused it, so nothing can be set up now. Ask whoever sent you this
        link; it works again once provisioning is resumed.
      </p>
    ),
  })
}

export function usedPage(name: string): string {
  return document({
    title: 'This link has made its token already',
    name,
    children: (
      <>
        <p>
          A link makes one token and shows it once. If it is lost, ask the operator of the service to renew
          the link; what is set up stays.
        </p>
        <p>
          <a href="?">To the connection</a>
        </p>
      </>
    ),
  })
}

/** For whatever else a reader can do little about. */
export function noticePage(title: string, text: string): string {
  return document({ title, children: <p>{text}</p> })
}
