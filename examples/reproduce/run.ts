/** `npm run reproduce -- [flags]` (command.ts). */
import { endWithReader } from '../lib/output.js'
import { reproduce } from './command.js'

endWithReader()
process.exitCode = await reproduce(process.argv.slice(2))
