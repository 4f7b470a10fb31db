/** The view as the rest of the package sees it. It is compiled with the types of pages, so its own types stay there (view/tsconfig.json). */
import type { RunRecord } from './record.js'

/** A report in an element of a page. */
export interface Mounted {
  update(record: RunRecord): void
  news(text: string): void
  dispose(): void
}

export declare const mount: (host: object, record: RunRecord) => Mounted
/** The script of a report file. */
export declare const pageScript: () => Promise<string>
