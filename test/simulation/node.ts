import type { MemberId } from '@concordat/common/domain/ids.js';
import { type NodePorts, type NodeSettings, startNode } from '@concordat/node/service.js';
import type { SimulatedProcess } from './process.js';
import { SimulatedService, type SimulatedServiceParts } from './service.js';

export interface SimulatedNodeParts extends Omit<SimulatedServiceParts, 'name' | 'begin'> {
  readonly member: MemberId;
  readonly settings: Omit<NodeSettings, 'dataDir'>;
  readonly portsOf: (process: SimulatedProcess, life: number) => Omit<NodePorts, 'listen'>;
}

/** The shipped node alone. */
export class SimulatedNode extends SimulatedService {
  readonly member: MemberId;

  constructor(parts: SimulatedNodeParts, files: ReadonlyMap<string, Uint8Array>) {
    const { member, settings, portsOf, ...rest } = parts;
    super(
      {
        ...rest,
        name: member,
        begin: ({ process, number, dataDir, listen }) =>
          startNode({ ...settings, dataDir }, { ...portsOf(process, number), listen }),
      },
      files,
    );
    this.member = member;
  }
}
