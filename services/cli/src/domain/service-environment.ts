import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';

/** The services of a member that run as processes. */
export const MEMBER_SERVICES = ['node', 'consent', 'revocation'] as const;
export type MemberService = (typeof MEMBER_SERVICES)[number];

type Environment = Readonly<Record<string, string>>;

const PREFIX = 'CONCORDAT_';
/** Variables that only the command line knows; a service would refuse to start with them. */
const OWN_NAMES: readonly string[] = ['CONCORDAT_HOME'];

/**
 * What a service's process is started with: the shell's environment without what is the command line's own, and `settings`.
 *
 * @returns CONFIG_INVALID when the shell sets one of the settings to something else: no setting has two places
 */
export function serviceEnvironment(
  shell: Environment,
  settings: Environment,
): Result<Environment, ConcordatError> {
  const kept = Object.entries(shell).filter(([name]) => !OWN_NAMES.includes(name));
  const conflicts = kept.filter(
    ([name, value]) =>
      name.startsWith(PREFIX) && settings[name] !== undefined && settings[name] !== value,
  );
  if (conflicts.length === 0) return ok({ ...Object.fromEntries(kept), ...settings });
  const lines = conflicts.map(([name]) => `  ${name}: set in the shell, and otherwise by the home`);
  return err(
    new ConcordatError(
      'CONFIG_INVALID',
      `${String(conflicts.length)} settings have two values; unset them in the shell:\n${lines.join('\n')}`,
    ),
  );
}
