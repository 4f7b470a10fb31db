/** The frame of every page: the list of pages on a phone, light and dark. */

const menu = document.querySelector<HTMLButtonElement>('.menu')
const pages = document.querySelector<HTMLElement>('#pages')

function show(open: boolean): void {
  pages?.classList.toggle('open', open)
  menu?.setAttribute('aria-expanded', String(open))
}
menu?.addEventListener('click', () => show(!pages?.classList.contains('open')))
// The list lies over the page: Escape closes it, and so does a link to a place in this very page.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !pages?.classList.contains('open')) return
  show(false)
  menu?.focus()
})
pages?.addEventListener('click', ({ target }) => {
  if (target instanceof Element && target.closest('a')) show(false)
})

document.querySelector('.theme')?.addEventListener('click', () => {
  const { dataset } = document.documentElement
  dataset.theme = dataset.theme === 'dark' ? 'light' : 'dark'
  localStorage.setItem('theme', dataset.theme)
})

pages?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
