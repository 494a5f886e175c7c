// Run by `lambkin build` on Node: makes a StarlingMonkey component of a bundle.
//
// Arguments: componentize-js's main module, the bundle, the folder of the WIT package, the world, the output file.

import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [library, bundle, witPath, worldName, output] = process.argv.slice(2);
const { componentize } = await import(pathToFileURL(library));

const { component } = await componentize(await readFile(bundle, "utf8"), {
  sourceName: "bundle.js",
  witPath,
  worldName,
  // A function has no fetch event; every other feature of the engine stays.
  disableFeatures: worldName === "function" ? ["fetch-event"] : [],
});
await writeFile(output, component);
