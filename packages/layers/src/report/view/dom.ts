/** Elements in one expression. Texts become text nodes, so nothing in a record is read as HTML. */

export type Child = Node | string | number | null | undefined | false | readonly Child[]
type Attributes = Record<string, string | number | boolean | undefined | ((event: never) => void)>

const SVG = 'http://www.w3.org/2000/svg'

function fill<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value as EventListener)
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value))
  }
  append(element, children)
  return element
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child)
    else if (child !== null && child !== undefined && child !== false) element.append(child as Node | string)
  }
}

/** An element of HTML. A function among the attributes listens to the event of that name. */
export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] => fill(document.createElement(tag), attributes, children)

/** An element of SVG. */
export const s = <K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] => fill(document.createElementNS(SVG, tag) as SVGElementTagNameMap[K], attributes, children)

let ids = 0
/** An id that no other element has. */
export const newId = (): string => `cotangent-${++ids}`
