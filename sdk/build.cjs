// Builds what is served: `node build.cjs [FOLDER]`, with esbuild and typescript where node finds them.
const { execFileSync } = require("node:child_process");
const { copyFileSync, mkdtempSync, mkdirSync, readFileSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { dirname, join, resolve } = require("node:path");
const { gzipSync } = require("node:zlib");
const { buildSync } = require("esbuild");

const MODULES = ["segue", "auto", "datalayer", "personalize"];
const source = join(__dirname, "src");
const target = resolve(process.argv[2] || join(__dirname, "served"));
const typescript = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
const declarations = mkdtempSync(join(tmpdir(), "segue-"));

mkdirSync(target, { recursive: true });
try {
  // The check and the declarations in one; a wrong type ends the build.
  execFileSync(process.execPath, [typescript, "-p", __dirname, "--outDir", declarations], { stdio: "inherit" });
  for (const name of MODULES) copyFileSync(join(declarations, `${name}.d.ts`), join(target, `${name}.d.ts`));
  copyFileSync(join(source, "types.d.ts"), join(target, "types.d.ts"));
} finally {
  rmSync(declarations, { recursive: true });
}
for (const name of MODULES) {
  const outfile = join(target, `${name}.js`);
  buildSync({ entryPoints: [join(source, `${name}.js`)], outfile, bundle: true, format: "esm", minify: true, target: "es2020", charset: "utf8" });
  const built = readFileSync(outfile);
  console.log(`${name}.js ${built.length} bytes, ${gzipSync(built, { level: 9 }).length} compressed`);
}
