// Chromium, its fonts and the libraries that a bare machine lacks, out of the package and into the folder named.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
process.env.TMPDIR = folder; // where the package puts what it unpacks
const { inflate } = await import("@sparticuz/chromium");
const packed = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "..", "bin");
for (const each of ["chromium.br", "fonts.tar.br", "al2023.tar.br"]) await inflate(join(packed, each));
