import { type Sqlite, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import type { Branch } from '../run/branches.js';
import type { Place, Witness } from '../witness/witness.js';
import { placeName } from '../world/places.js';
import type { World } from '../world/world.js';

/** What the services count themselves, and what it means that they did. */
const COUNTED: readonly (readonly [counter: RegExp, branch: Branch])[] = [
  [/^feed\.purged$/, 'a purge comes before its event'],
  [/^feed\.duplicate$/, 'a feed block comes again'],
  [/^feed\.known$/, 'an event comes that is known'],
  [/^purge\.duplicate$/, 'a purge entry comes again'],
  [/^purge\.known$/, 'a purge is applied again, after a loss of its place'],
  [/^keys\.shredded$/, 'a key is asked for after its seal'],
  [/^keys\.leased$/, 'a key is only lent'],
  [/^keys\.later$/, 'a key is put off'],
  [/^keys\.refused\./, 'a key is refused'],
  [/^media\.erased$/, 'a holder says that its media are erased'],
  [/^retention\.ended$/, 'an event ends here with its retention'],
  [/^reminders\.sent$/, 'a holder is reminded'],
  [/^notices\.made$/, 'a default notice is made'],
  [/^onward\.released$/, 'an event is shared on'],
  [/^onward\.withheld$/, 'sharing on is withheld'],
  [/^feed\.voids$/, 'a gap of a feed is closed by its writer'],
  [/^voids\./, 'a gap is left out'],
  [/^orders\.made\.SUPERSEDED$/i, 'an order is made by a rule: superseded'],
  [/^orders\.made\.RETENTION/i, 'an order is made by a rule: retention'],
  [/^orders\.made\.PARENT/i, 'an order is made by a rule: its parent went'],
  [/^orders\.made\.SCOPE/i, 'an order is made by a rule: out of scope'],
  [/^orders\.made\.MEMBER/i, 'an order is made by a rule: its holder left'],
  [/^restarted\./, 'a topic begins again'],
  [/^quarantine\.released$/, 'a refused record is taken after all'],
  [/^quarantined\.EQUIVOCATION$/, 'equivocation is seen'],
  [/^quarantined\.SIGNATURE_INVALID$/, 'a signature does not fit'],
  [/^quarantined\.KEY_UNKNOWN$/, 'a key is in no trust file'],
  [/^quarantined\.KEY_ROLE_WRONG$/, 'a key of another role has signed'],
  [/^quarantined\.SENDER_NOT_TOPIC_OWNER$/, 'a member writes to the topic of another'],
  [/^quarantined\.RECORD_MALFORMED$/, 'a record is none'],
  [/^quarantined\.NOT_ADDRESSED_HERE$/, 'a record is for somebody else'],
  [/^approvals\.refused\./, 'an approval is refused'],
  [/^orders\.refused\./, 'an order is refused'],
];

/** Adds up, at the end, what the services of a world have counted. */
export class CountedBranches implements Witness {
  readonly name = 'counted branches';
  readonly #world: World;
  readonly #stores = new Map<string, Sqlite>();

  constructor(world: World) {
    this.#world = world;
  }

  committed({ member, process }: Place, store: Sqlite): void {
    const [file = ''] = store.file.split('/').slice(-1);
    this.#stores.set(`${placeName(member, process)} ${file}`, store);
  }

  /** Its next life opens its stores anew, and may commit nothing to one of them. */
  died({ member, process }: Place): void {
    for (const name of this.#stores.keys()) {
      if (name.startsWith(`${placeName(member, process)} `)) this.#stores.delete(name);
    }
  }

  async healed(): Promise<void> {
    for (const [name, store] of this.#stores) {
      if (name.endsWith('vault.db')) continue;
      for (const row of store.all('SELECT name, value FROM counter')) {
        this.#add(textOf(row, 'name'), numberOf(row, 'value'));
      }
    }
  }

  #add(counter: string, times: number): void {
    for (const [known, branch] of COUNTED) {
      if (known.test(counter)) this.#world.reached(branch, times);
    }
  }
}
