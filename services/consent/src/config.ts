import { readConfig as read, serviceSettings, textSetting } from '@concordat/common/io/config.js';

const SETTINGS = serviceSettings({
  agreementsFile: textSetting('the path of the file of agreements and consents'),
});

export type ConsentConfig = ReturnType<typeof readConfig>;

/** @throws ConcordatError CONFIG_INVALID naming every setting that cannot be used */
export function readConfig(env: NodeJS.ProcessEnv) {
  return read(env, SETTINGS);
}
