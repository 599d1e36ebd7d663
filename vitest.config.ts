import { defineConfig } from "vitest/config";

/**
 * Two projects: `fast` is pure and runs in seconds; `real` starts processes, databases, clusters and models.
 * Files of `real` run one after another: they share two cores with the parts that they start.
 */
export default defineConfig({
  test: {
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["**/*.test.ts"],
          exclude: ["**/*.real.test.ts", "node_modules/**"],
        },
      },
      {
        extends: true,
        test: {
          name: "real",
          include: ["**/*.real.test.ts"],
          exclude: ["node_modules/**"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
