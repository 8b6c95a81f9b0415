import type { MemberId } from '@concordat/common/domain/ids.js';

/** In the order in which they are started. */
export const PROCESSES = ['node', 'consent', 'revocation'] as const;
export type Process = (typeof PROCESSES)[number];

/** As the trace and the network call it: `un node`. */
export function placeName(member: MemberId, process: Process): string {
  return `${member} ${process}`;
}
