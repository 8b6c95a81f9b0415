/** Within this time after a deletion the keys are destroyed under which the deleted ones were wrapped (DESIGN 4). */
export const ERASED_WITHIN_MS = 3_600_000;

/** Orders that one statement names; their ids and the generations keep it well below what a record may have. */
export const ERASED_ORDERS_MAX = 4_096;
