/** So many events that one recipient would lose, or these sections of them. */
export interface ScopeCount {
  readonly recipient: string;
  /** empty: whole events */
  readonly sections: readonly string[];
  readonly events: number;
}

/** What was counted so far, and one page more; by recipient, then by sections. */
export function countLosses(
  before: readonly ScopeCount[],
  page: readonly {
    readonly recipient: string;
    readonly sections: readonly string[];
    readonly eventIds: readonly string[];
  }[],
): ScopeCount[] {
  const counts = new Map(before.map((one) => [keyOf(one), one]));
  for (const { recipient, sections, eventIds } of page) {
    const events = (counts.get(keyOf({ recipient, sections }))?.events ?? 0) + eventIds.length;
    counts.set(keyOf({ recipient, sections }), { recipient, sections, events });
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

export function scopeText(counts: readonly ScopeCount[]): string {
  if (counts.length === 0) return 'nothing left scope: all that was given would be given today';
  const events = counts.reduce((sum, one) => sum + one.events, 0);
  const members = new Set(counts.map(({ recipient }) => recipient)).size;
  return `events, counted for each member: ${String(events)}, members: ${String(members)}`;
}

function keyOf({ recipient, sections }: Pick<ScopeCount, 'recipient' | 'sections'>): string {
  return [recipient, ...sections].join(' ');
}
