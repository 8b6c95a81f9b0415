import { ERASED_WITHIN_MS } from '@concordat/common/domain/media-erasure.js';
import {
  approvalsAboveSetting,
  integerSetting,
  readConfig as read,
  serviceSettings,
  textSetting,
} from '@concordat/common/io/config.js';
import { z } from 'zod';

const DAY_MS = 86_400_000;

const SETTINGS = serviceSettings({
  approvedSchemasDir: textSetting('the path of a directory with approved.json').optional(),
  agreementsFile: textSetting('the path of the agreements file'),
  /** How often events are looked for whose delete-by has passed. */
  retentionCheckMs: integerSetting({ min: 100, max: DAY_MS }).default(60_000),
  /** How often keys are destroyed under which purged ones were wrapped; a little less than the hour it may take. */
  mediaErasureMs: integerSetting({ min: 100, max: ERASED_WITHIN_MS }).default(1_800_000),
  approvalsAbove: approvalsAboveSetting,
  freshness: z.object({ everyMs: integerSetting({ min: 100, max: 600_000 }).default(5_000) }),
});

export type NodeConfig = z.output<typeof SETTINGS>;

/** @throws ConcordatError CONFIG_INVALID naming every setting that cannot be used */
export function readConfig(env: NodeJS.ProcessEnv): NodeConfig {
  return read(env, SETTINGS);
}
