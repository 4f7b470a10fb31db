/** Addresses of the site, for the scripts of all pages. */

/** The address of the top of the site, as the page's own head gives it: the site may lie under any path. */
export const top = new URL(document.documentElement.dataset.top || './', location.href)

/** A file of the site, by its address from the top. */
export const fileUrl = (path: string): string => new URL(path, top).href
