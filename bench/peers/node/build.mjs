// One minified file a function, as it would be uploaded. The SDK comes along: that is quicker to start than the one in Lambda's runtime.
import { build } from 'esbuild';

await build({
  entryPoints: { 'commands/index': 'commands.mjs', 'heartbeats/index': 'heartbeats.mjs' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" }, // Bolt is CommonJS
  logLevel: 'warning',
});
