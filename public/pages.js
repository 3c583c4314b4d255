// What pages are nicer with, and complete without: copying, times of the reader's own zone, one click a form.

for (const button of document.querySelectorAll('button[data-copy]')) {
  button.hidden = !navigator.clipboard
  button.addEventListener('click', async () => {
    const said = button.textContent
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent)
    button.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = said
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

// What went wrong is read out first.
document.querySelector('.notice.bad[tabindex]')?.focus()
