import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below a folder whose path fits, sorted; nothing that was built or installed. */
export function filesBelow(folder: string, fits: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) return fits.test(path) ? [path] : [];
      return ['node_modules', 'dist'].includes(entry.name) ? [] : filesBelow(path, fits);
    })
    .sort();
}
