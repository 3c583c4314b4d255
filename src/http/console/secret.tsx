// What is shown once: a token or a secret that has just been made, and where to go when it has been taken.
import { Copy } from '../pages/copy'

export function Secret({
  title,
  values,
  next,
}: {
  title: string
  values: readonly (readonly [name: string, value: string])[]
  next: readonly [href: string, text: string]
}) {
  const [href, text] = next
  return (
    <section class="secret" tabindex={-1} aria-label={title}>
      <h2>{title}</h2>
      {values.map(([name, value], i) => (
        <div class="stack tight">
          <h3>{name}</h3>
          <Copy id={`secret-${i}`} text={value} label={name} />
        </div>
      ))}
      <p>
        <strong>It is shown here and never again.</strong> Whoever loses it makes another.
      </p>
      <p>
        <a class="button primary" href={href}>
          {text}
        </a>
      </p>
    </section>
  )
}
