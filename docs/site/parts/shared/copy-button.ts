/** Puts a button into a `<pre>` that copies its code. */
export function addCopy(code: HTMLElement): void {
  const text = code.textContent?.trimEnd() ?? ''
  const button = document.createElement('button')
  button.className = 'copy-code'
  button.textContent = 'Copy'
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text)
    button.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 1500)
  })
  code.classList.add('copied')
  code.append(button)
}
