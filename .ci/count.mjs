/** Adds the lines `N passed, N failed, N skipped` of a log, and prints the sum as the last line. */
import { readFileSync } from 'node:fs'

const sum = { passed: 0, failed: 0, skipped: 0 }
for (const [, passed, failed, skipped = '0'] of readFileSync(process.argv[2], 'utf8').matchAll(
  /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm,
)) {
  sum.passed += Number(passed)
  sum.failed += Number(failed)
  sum.skipped += Number(skipped)
}
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
if (sum.failed > 0 || sum.passed === 0) process.exitCode = 1
