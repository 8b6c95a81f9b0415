import type { MemberId } from '@concordat/common/domain/ids.js';
import { type MemberService, serviceEnvironment } from '../domain/service-environment.js';
import { homeSettings, memberIn, readFederationOf } from '../io/home.js';
import { type BrokerOptions, usageError } from './options.js';
import { profileOf } from './topic.js';
import type { World } from './world.js';

export interface StartOptions extends BrokerOptions {
  readonly home?: string;
  readonly member?: MemberId;
}

/** From the home, unless none is named and the shell has the settings themselves. */
export async function environmentFor(
  world: World,
  service: MemberService,
  options: StartOptions,
): Promise<Readonly<Record<string, string>>> {
  const { environment: shell } = world.settings;
  if (options.home === undefined && shell['CONCORDAT_FEDERATION_FILE'] !== undefined) {
    return environmentOf(world, {});
  }
  const { home = '.', member: id, brokers } = options;
  if (id === undefined) {
    throw usageError('--member (CONCORDAT_MEMBER): expected a member id, came nothing');
  }
  const member = memberIn(await readFederationOf(home), id);
  const profile = profileOf(options.profile);
  return environmentOf(world, homeSettings({ home, member, service, brokers, profile }));
}

export function environmentOf(
  { settings: { environment } }: World,
  settings: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const env = serviceEnvironment(environment, settings);
  if (env.ok) return env.value;
  throw env.error;
}
