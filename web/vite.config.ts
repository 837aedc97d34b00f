import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// Where `npm run dev` finds the server: the mock (`npm run mock`) or a real `atalaia up`.
const backend = process.env.ATALAIA_URL ?? 'http://127.0.0.1:8090'

export default defineConfig({
  base: '/',
  plugins: [react()],
  build: {
    target: 'es2022',
    // The files live inside the binary: no source maps, nothing inlined that a strict content policy would refuse.
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': backend, '/ws': { target: backend, ws: true } } },
  // Tests that need a page say so at their top.
  test: { environment: 'node', include: ['src/**/*.test.{ts,tsx}'] },
})
