/**
 * Loaded before Azurite. Its telemetry library takes a second of CPU time and 65 MB although telemetry is
 * switched off by a flag; Azurite then never uses what it has loaded. So it gets an empty module instead.
 */
import { registerHooks } from "node:module";

const EMPTY = "opal:no-telemetry";

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier !== "applicationinsights") return nextResolve(specifier, context);
    return { url: EMPTY, format: "commonjs", shortCircuit: true };
  },
  load(url, context, nextLoad) {
    if (url !== EMPTY) return nextLoad(url, context);
    return { format: "commonjs", source: "module.exports = {};", shortCircuit: true };
  },
});
