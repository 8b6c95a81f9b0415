import {
  integerSetting,
  readConfig as read,
  serviceSettings,
  textSetting,
} from '@concordat/common/io/config.js';
import { z } from 'zod';

const SETTINGS = serviceSettings({
  agreementsFile: textSetting('the path of the agreements file'),
  freshness: z.object({ everyMs: integerSetting({ min: 100, max: 600_000 }).default(5_000) }),
});

export type NodeConfig = z.output<typeof SETTINGS>;

/** @throws ConcordatError CONFIG_INVALID naming every setting that cannot be used */
export function readConfig(env: NodeJS.ProcessEnv): NodeConfig {
  return read(env, SETTINGS);
}
