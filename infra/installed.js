/**
 * Exit code 0 when node_modules holds what package-lock.json asks for, so that `make` installs only
 * when it has to. npm writes down what it installed in node_modules/.package-lock.json.
 */
import { readFileSync } from 'node:fs';

function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).packages;
  } catch (cause) {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}

const wanted = packagesOf('../package-lock.json');
const present = packagesOf('../node_modules/.package-lock.json');

/** Packages for other systems are optional, and their absence is right. */
function isSatisfied([path, want]) {
  const have = present[path];
  if (!have) return path === '' || want.optional === true || want.devOptional === true;
  return have.version === want.version && have.integrity === want.integrity;
}

process.exitCode = present && Object.entries(wanted).every(isSatisfied) ? 0 : 1;
