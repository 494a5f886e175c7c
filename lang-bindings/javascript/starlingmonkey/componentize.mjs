// Run by `lambkin build` on Node: makes a StarlingMonkey component of a bundle.
//
// Arguments: componentize-js's main module, the bundle, its source map, the handler's name, the folder of the WIT
// package, the world, the output file. Prints what the module's top level reads that only an invocation has.

import files from "node:fs/promises";
import { SourceMap, syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const [library, bundle, mapFile, handler, witPath, worldName, output] = process.argv.slice(2);

// Before a string leaves the component, the bindings that componentize-js 0.23 generates walk over its characters to
// count its bytes, in a loop that the engine interprets: 4 ms for 10 KB. The bindings pass through a file; there the
// engine's encoder counts. Nobody reads `codepoints`.
const LOOP = /let len = 0;\s*let codepoints = 0;\s*for \(let i = 0; i < s\.length; i\+\+\) \{.*?(?=const ptr = realloc\(0, 0, 1, len\);)/s;
function quick(bindings) {
  // Whoever moves to another version of componentize-js is told here; a web handler's bindings pass no strings.
  if (worldName === "function" && !LOOP.test(bindings)) throw new Error("componentize-js encodes strings in another way");
  return bindings.replace(LOOP, "const len = TEXT_ENCODER_UTF8.encode(s).length, codepoints = undefined;\n");
}
const { writeFile } = files;
files.writeFile = (file, data, ...options) => writeFile(file, basename(String(file)) === "initializer.js" ? quick(data) : data, ...options);
syncBuiltinESMExports();

const { componentize } = await import(pathToFileURL(library));
const code = await files.readFile(bundle, "utf8");
const map = JSON.parse(await files.readFile(mapFile, "utf8"));

// The settings take one line of their own, so that the bundle's lines move by exactly one.
async function make(deferred) {
  const settings = JSON.stringify({ handler, map, deferred });
  const { component } = await componentize(`globalThis[Symbol.for("lambkin")] = ${settings};\n${code}`, {
    sourceName: "bundle.js",
    witPath,
    worldName,
    // A function has no fetch event; every other feature of the engine stays.
    disableFeatures: worldName === "function" ? ["fetch-event"] : [],
  });
  return component;
}

async function makeOnceOrDeferred() {
  try {
    return await make(false);
  } catch (error) {
    const needs = /lambkin-needs<([^>]*)>/.exec(error.message)?.[1];
    if (needs === undefined) throw error;
    console.log(`lambkin-needs ${needs}`);
    return make(true);
  }
}

// What the engine says of the bundle's lines, in the lines of the user's files, without the frames of the adapter.
function inUsersWords(text) {
  const mappings = new SourceMap({ version: 3, names: [], ...map });
  const lines = text.split("\n").map((line) => line.replace(/bundle\.js:(\d+):(\d+)/g, (whole, row, column) => {
    const { originalSource, originalLine, originalColumn } = mappings.findEntry(row - 2, column - 1);
    return originalSource === undefined ? whole : `${originalSource}:${originalLine + 1}:${originalColumn + 1}`;
  }));
  return lines.filter((line) => !/@lambkin:|initializer\.js|^Failed to initialize component|^Redirecting call to abort/.test(line)).join("\n");
}

try {
  await writeFile(output, await makeOnceOrDeferred());
} catch (error) {
  process.stderr.write(`${inUsersWords(String(error?.message ?? error)).trim()}\n`);
  process.exitCode = 1;
}
