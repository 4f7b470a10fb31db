/**
 * Follows a run that is still going on, without a server. A page from `file://` may not fetch, but it may load itself in a hidden frame; the script at the head of the page
 * (../page.ts) then sends the record that the file holds by now.
 */
import type { RunRecord } from '../record.js'

const [SHORTEST, LONGEST] = [1000, 5000] // milliseconds
/** After so many loads without an answer the file is taken to be gone. */
const MOST_FAILURES = 8

let loads = 0

/** The record that the file of this page holds now. */
function load(): Promise<string> {
  const url = new URL(location.href)
  url.hash = ''
  url.searchParams.set('cotangent-news', String(++loads))
  const frame = document.createElement('iframe')
  frame.hidden = true
  frame.title = 'The newest state of this report'
  frame.src = url.href
  return new Promise<string>((resolve, reject) => {
    const end = (): void => {
      clearTimeout(late)
      removeEventListener('message', hear)
      frame.remove()
    }
    const late = setTimeout(() => {
      end()
      reject(new Error('no answer'))
    }, 10_000)
    const hear = ({ source, data }: MessageEvent): void => {
      const text = (Object(data) as { cotangentRecord?: unknown }).cotangentRecord
      if (source !== frame.contentWindow || typeof text !== 'string') return
      end()
      resolve(text)
    }
    addEventListener('message', hear)
    document.body.append(frame)
  })
}

/**
 * Hands each new record on until the run is over.
 *
 * @param told says how it goes, in a sentence
 */
export function follow(first: RunRecord, news: (record: RunRecord) => void, told: (text: string) => void): void {
  let [pause, failures] = [SHORTEST, 0]
  let before = JSON.stringify(first)
  told('This page follows the run.')
  const next = async (): Promise<void> => {
    try {
      const text = await load()
      failures = 0
      const record = JSON.parse(text) as RunRecord
      if (text === before) pause = Math.min(LONGEST, pause * 1.3)
      else {
        pause = SHORTEST
        before = text
        news(record)
      }
      const quiet = (Date.now() - Date.parse(record.started)) / 1000 - record.seconds
      const each = Math.max(...record.training.seconds.map((seconds) => seconds ?? 0), 20)
      if (record.state !== 'running') return told('')
      // A process that was killed cannot say so.
      told(
        quiet > 5 * each
          ? 'This page follows the run, but there has been no news for long. It may have been ended from outside.'
          : 'This page follows the run.',
      )
    } catch {
      failures++
    }
    if (failures < MOST_FAILURES) setTimeout(wait, pause)
    else told('The file of this page does not answer. Load the page again to see newer states.')
  }
  const wait = (): void => {
    if (document.visibilityState === 'visible') void next()
    else document.addEventListener('visibilitychange', wait, { once: true })
  }
  setTimeout(wait, pause)
}
