/** `npm run example -- <id> [flags]` (command.ts). */
import { runCommand } from './command.js'
import { endWithReader } from './lib/output.js'

endWithReader()
const code = await runCommand(process.argv.slice(2))
if (code !== 0) process.exitCode = code
