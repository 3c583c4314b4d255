// Text that is taken over into another system: selected by one click, copied by the button where there is script.

export function Copy({ id, text, label }: { id: string; text: string; label: string }) {
  return (
    <div class="copy">
      <code id={id}>{text}</code>
      <button type="button" data-copy={id} hidden>
        Copy<span class="hidden-visually"> {label}</span>
      </button>
    </div>
  )
}
