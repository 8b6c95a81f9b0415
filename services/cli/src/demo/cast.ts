import type { Federation } from '@concordat/common/domain/federation.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { FoundBroker } from '../io/broker/find-broker.js';
import type { SnapshotFile } from '../io/un-list-folder.js';
import type { Chaos } from './chaos.js';
import type { DemoClients } from './clients.js';
import type { Places } from './places.js';
import type { Story } from './story.js';
import type { Supervised } from './supervisor.js';

export interface DemoPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly story: Story;
}

/** What the demo stands on. */
export interface Stage {
  readonly places: Places;
  readonly federation: Federation;
  readonly broker: FoundBroker;
  readonly services: Supervised[];
}

/** The stage with everybody on it. */
export interface Cast extends Stage {
  readonly clients: DemoClients;
  readonly log: LogClient;
  readonly topics: readonly string[];
  readonly snapshots: readonly SnapshotFile[];
  readonly chaos: Chaos | undefined;
}

/** Reading and rewinding come after the lists; processes may be killed there too. */
export const SCENES_AFTER = 2;
