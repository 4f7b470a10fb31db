/** A plot of Observable Plot as one picture: its groups have labels that say nothing and have no role, so that the label of the whole is read alone. */
export function asPicture<T extends Element>(plot: T): T {
  plot.setAttribute('role', 'img')
  for (const part of plot.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label')
  for (const part of plot.querySelectorAll('[aria-description]')) part.removeAttribute('aria-description')
  return plot
}
