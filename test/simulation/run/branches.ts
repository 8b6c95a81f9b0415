/** What may happen in a seed and seldom does; a run of enough seeds reaches every one, or it has shown nothing about it. */
export const BRANCHES = ['an event of another is read'] as const;
export type Branch = (typeof BRANCHES)[number];

/** A run of fewer seeds may miss some. */
export const SEEDS_FOR_ALL = 300;
