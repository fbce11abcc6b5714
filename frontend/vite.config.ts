import { defineConfig } from "vite";

// A script and a style sheet for each island, with fixed names: Django's static storage adds the hashes.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../static/built",
    emptyOutDir: true,
    modulePreload: false,
    target: "es2022",
    chunkSizeWarningLimit: 3000,
    rolldownOptions: {
      input: { canvas: "src/canvas/main.tsx", mail: "src/mail/main.ts" },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
});
