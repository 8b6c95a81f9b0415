/** What may happen in a race and seldom does; a full run reaches every one, or it has shown nothing about it. */
export const BRANCHES = [
  'the origin dies between a seal and the deletion of its keys',
  'the origin dies between the deletion of keys and of ciphertexts',
  'the origin dies with a ledger record committed and not sent',
  'a release waits for the broker while its event is sealed, and is answered shredded',
  'a release waits for the broker while a narrower cover is sealed, and leaves that out',
  'a release is asked for after the seal',
  'a release is asked for again, and answered with its old record',
  'an order is sent again, and answered with the same seal',
  'a broker that did not answer has the record, and gets it twice',
  'a recipient is a holder and never got its answer',
  'a purge comes before its event',
  'a purge comes while the event waits for its key',
  'a purge comes while the answer with the key is under way',
  'a purge comes when the event is read',
  'a recipient learns from a seal that an event is purged',
  'a section is taken back before its event comes',
  'the recipient dies between a tombstone and the deletion of keys',
  'the recipient dies between the deletion of keys and of ciphertexts',
  'the recipient dies between the deletion and the receipt',
  'the recipient dies with a receipt committed and not sent',
  'the recipient dies between a key and its row',
  'the recipient destroys a key-encryption key',
  'a purge entry is fetched that its topic does not have',
  'a feed block comes twice',
  'both nodes die',
] as const;
export type Branch = (typeof BRANCHES)[number];

export type Counts = Map<Branch, number>;

export function noCounts(): Counts {
  return new Map(BRANCHES.map((branch) => [branch, 0]));
}

export function addCounts(to: Counts, from: ReadonlyMap<Branch, number>): void {
  for (const [branch, count] of from) to.set(branch, (to.get(branch) ?? 0) + count);
}
