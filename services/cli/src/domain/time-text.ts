/** ISO 8601 in UTC; 0 means "not yet" on the wire and reads as an empty text. */
export function timeText(ms: number): string {
  return ms === 0 ? '' : new Date(ms).toISOString();
}
