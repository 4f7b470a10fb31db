/** The text of the page for each exercise: a heading and what follows it, as Markdown made it. */
export interface Text {
  readonly title: string
  readonly nodes: readonly Node[]
}

/** Takes the content of an element, by the ids of its headings. */
export function takeTexts(from: Element): Map<string, Text> {
  const texts = new Map<string, Text>()
  let nodes: Node[] | undefined
  for (const node of [...from.childNodes]) {
    if (node instanceof HTMLHeadingElement && node.id) {
      nodes = []
      texts.set(node.id, { title: node.textContent ?? node.id, nodes })
    }
    nodes?.push(node)
  }
  from.replaceChildren()
  return texts
}
