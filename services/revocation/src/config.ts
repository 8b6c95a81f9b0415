import {
  approvalsAboveSetting,
  integerSetting,
  readConfig as read,
  serviceSettings,
} from '@concordat/common/io/config.js';
import type { z } from 'zod';

const DAY_MS = 86_400_000;

const SETTINGS = serviceSettings({
  /** How often events are looked for whose retention is over. */
  retentionCheckMs: integerSetting({ min: 100, max: DAY_MS }).default(60_000),
  approvalsAbove: approvalsAboveSetting,
  /** Holders have this long to answer an order made by rule. */
  ruleOrderDeadlineMs: integerSetting({ min: 1_000, max: 90 * DAY_MS }).default(DAY_MS),
});

export type RevocationConfig = z.output<typeof SETTINGS>;

/** @throws ConcordatError CONFIG_INVALID naming every setting that cannot be used */
export function readConfig(env: NodeJS.ProcessEnv): RevocationConfig {
  return read(env, SETTINGS);
}
