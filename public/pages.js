// What pages are nicer with, and complete without: copying, times of the reader's own zone, one click a form, and what a
// button would show, shown while its form is being filled in.

for (const button of document.querySelectorAll('button[data-copy]')) {
  button.hidden = !navigator.clipboard
  const said = [...button.childNodes]
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent)
    button.textContent = 'Copied'
    setTimeout(() => {
      button.replaceChildren(...said)
    }, 1600)
  })
}

const format = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: 'medium',
  timeStyle: 'medium',
})
for (const time of document.querySelectorAll('time[datetime]')) {
  time.title = `${time.textContent.trim()} · here: ${format.format(new Date(time.dateTime))}`
}

// A form that is on its way is not sent twice; whoever comes back by the browser's own button finds it as it was.
document.addEventListener('submit', event => {
  const form = event.target
  if (form.dataset.sent) return event.preventDefault()
  form.dataset.sent = 'yes'
  event.submitter?.setAttribute('aria-busy', 'true')
})
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent
  for (const button of document.querySelectorAll('[aria-busy]')) button.removeAttribute('aria-busy')
})

for (const hint of document.querySelectorAll('[data-with-script]')) hint.hidden = false

/** Typing has stopped when nothing was typed for this long. */
const STOPPED_AFTER_MS = 500

// Only the marked parts and what is said at the fields change, so that nobody loses the focus or what was typed.
for (const button of document.querySelectorAll('button[data-live]')) {
  const { form } = button
  const region = document.getElementById(button.dataset.live)
  const typed = () => new URLSearchParams(new FormData(form, button)).toString()
  let shown = typed()
  let timer
  let isUnderWay = false

  const soon = () => {
    clearTimeout(timer)
    timer = setTimeout(ask, STOPPED_AFTER_MS)
  }
  form.addEventListener('input', soon)
  form.addEventListener('change', soon)

  // One at a time: an answer to what was typed before can neither come late nor stay.
  async function ask() {
    const sent = typed()
    if (isUnderWay || sent === shown || form.dataset.sent) return
    isUnderWay = true
    region.setAttribute('aria-busy', 'true')
    const page = await answerTo(button, sent)
    isUnderWay = false
    region.removeAttribute('aria-busy')
    if (form.dataset.sent) return
    if (typed() !== sent) return soon()
    const isAnswer = Boolean(page?.getElementById(region.id))
    shown = isAnswer ? sent : undefined
    if (isAnswer) show(page)
    else sayThatItFailed()
  }

  function sayThatItFailed() {
    for (const part of region.querySelectorAll('[data-live-part]')) part.replaceChildren()
    region.querySelector('[aria-live]').textContent = 'It could not be tried by itself. Press the button.'
  }

  function show(page) {
    for (const part of region.querySelectorAll('[data-live-part]')) {
      const next = page.getElementById(part.id)
      if (next.innerHTML !== part.innerHTML) part.replaceChildren(...next.childNodes)
    }
    for (const field of form.querySelectorAll('.field')) saidAt(field, page)
  }
}

/** The page with which the service answers; undefined when it does not. */
async function answerTo(button, sent) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }
  try {
    const reply = await fetch(button.formAction, { method: 'POST', headers, body: sent })
    return new DOMParser().parseFromString(await reply.text(), 'text/html')
  } catch {
    return undefined
  }
}

/** What the page says is wrong with this field. */
function saidAt(field, page) {
  const control = field.querySelector('[name]')
  const next = page.getElementById(control.id)
  for (const name of ['aria-invalid', 'aria-describedby']) {
    const value = next?.getAttribute(name) ?? null
    if (value === null) control.removeAttribute(name)
    else control.setAttribute(name, value)
  }
  field.querySelector('.error')?.remove()
  const error = next?.closest('.field').querySelector('.error')
  if (error) field.append(error)
}

// What became of the form that was sent is read out first, and the next Tab goes on from there.
document.querySelector('.notice[tabindex], .secret[tabindex]')?.focus()
