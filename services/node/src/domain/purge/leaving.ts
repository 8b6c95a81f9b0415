/** What the origin's own commits say of one release, at one moment. */
export interface ReleaseFacts {
  /** the whole event is taken back */
  readonly isSealed: boolean;
  /** sections that no narrower cover takes */
  readonly left: readonly string[];
  /** the recipient leaves the federation */
  readonly isLeaving: boolean;
}

export type KeyStop = 'SEALED' | 'COVERED' | 'LEAVING';

/**
 * What keeps a key from leaving, whatever the rules say; undefined when nothing does. Asked in the commit that records the
 * release, and once more when the broker has it (S6).
 */
export function keyStop({ isSealed, left, isLeaving }: ReleaseFacts): KeyStop | undefined {
  if (isSealed) return 'SEALED';
  if (left.length === 0) return 'COVERED';
  return isLeaving ? 'LEAVING' : undefined;
}
