/**
 * Lets Node run the TypeScript sources: `node --import=./scripts/ts.mjs file.ts`.
 *
 * Types are only removed, by esbuild; nothing is checked here (`npm run typecheck` does that). The
 * inline source map makes stack traces and coverage name the lines of the sources.
 */
import { register } from 'node:module'

register('./ts-hook.mjs', import.meta.url)
