import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` talks to a kinsynth server on this address; built files are served by the server itself.
const target = process.env.KINSYNTH_SERVER ?? "http://127.0.0.1:8642";
const server = { target, changeOrigin: false }; // changes are taken from the server's own address only

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/kinsynth/server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the content policy lets nothing be inline
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { "/api": server, "/health": server } },
  test: { environment: "jsdom", include: ["tests/**/*.test.{ts,tsx}"] },
});
