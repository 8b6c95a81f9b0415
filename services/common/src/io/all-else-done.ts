/**
 * Resolves when everything that can go on without waiting for the outside has done so, and before anything that came from
 * there is looked at: later than any promise that is settled by now, sooner than the next turn of the event loop.
 */
export function allElseDone(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
