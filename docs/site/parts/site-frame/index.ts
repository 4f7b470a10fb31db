/** The frame of every page: the list of pages on a phone, light and dark. */

const menu = document.querySelector<HTMLButtonElement>('.menu')
const pages = document.querySelector<HTMLElement>('#pages')
menu?.addEventListener('click', () => {
  const open = pages?.classList.toggle('open') ?? false
  menu.setAttribute('aria-expanded', String(open))
})

document.querySelector('.theme')?.addEventListener('click', () => {
  const { dataset } = document.documentElement
  dataset.theme = dataset.theme === 'dark' ? 'light' : 'dark'
  localStorage.setItem('theme', dataset.theme)
})

pages?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
