import { defineConfig } from "vite";

// One script and one style sheet with fixed names: Django's static storage adds the hashes.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../static/built",
    emptyOutDir: true,
    modulePreload: false,
    target: "es2022",
    rolldownOptions: {
      input: "src/canvas/main.tsx",
      output: {
        entryFileNames: "canvas.js",
        assetFileNames: "canvas[extname]",
      },
    },
  },
});
