import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LogClient } from '@concordat/common/io/log-client.js';

/** Writes every record's raw bytes, lane by lane, so that what a broker elsewhere holds can be looked through here. */
export async function dumpTopics(
  log: LogClient,
  topics: readonly string[],
  dir: string,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const topic of topics) {
    const file = createWriteStream(join(dir, `${topic}.bin`));
    for (const { lane, low, high } of await log.ends(topic)) {
      if (high <= low) continue;
      await log.scan(topic, lane, low, (record) => {
        for (const [name, text] of Object.entries(record.headers)) file.write(`${name}: ${text}\n`);
        file.write(record.value);
        file.write('\n');
      });
    }
    file.end();
    await once(file, 'close');
  }
}
