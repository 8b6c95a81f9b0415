import type { MemberId } from '@concordat/common/domain/ids.js';
import { NationalService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import { cursorAfter } from '../domain/cursor.js';
import type { NodeContext } from '../flows/context.js';
import type { LeaseDesk } from '../flows/leases/lease-desk.js';
import type { Deriver } from '../flows/derive.js';
import type { Publisher } from '../flows/publish.js';
import type { Reader } from '../flows/read.js';
import { acknowledge, registerSystem } from '../flows/systems.js';
import { parseDraft } from './parse-draft.js';
import { publishStream } from './publish-stream.js';
import {
  demandFew,
  eventIdField,
  memberField,
  systemIdField,
  systemKindField,
} from './request-fields.js';
import type { NationalSystem } from './state/systems-table.js';
import { subscribe } from './subscription.js';

/** Withdrawals acknowledged in one call. */
const ACKNOWLEDGED_MAX = 4_096;

export function nationalService(flows: {
  readonly context: NodeContext;
  readonly publisher: Publisher;
  readonly deriver: Deriver;
  readonly reader: Reader;
  readonly desks: ReadonlyMap<MemberId, LeaseDesk>;
}): Served {
  const { context, publisher, deriver, reader, desks } = flows;
  const { epoch } = context.state.notices.place();
  const wireSystem = (system: NationalSystem): concordat.node.v1.RegisteredSystem => ({
    systemId: system.id,
    kind: system.kind,
    registeredAtMs: system.registeredAtMs,
    cursor: system.cursor === undefined ? '' : cursorAfter(system.cursor, epoch),
    outstanding: system.outstanding,
  });
  return serve(NationalService, {
    async publish(request) {
      const published = await publisher.publish(
        await deriver.permit(parseDraft(context.categories, request)),
      );
      const { id, lane, epoch, number, leaf, repeated } = published;
      return { eventId: id, lane, epoch, blockNumber: number, leaf, repeated };
    },
    publishStream: (messages, { signal }) =>
      publishStream({ categories: context.categories, publisher, deriver }, messages, signal),
    async read(request, { caller }) {
      const { purpose, caseId } = request;
      const origin = memberField('origin', request.origin);
      const id = eventIdField('event_id', request.eventId);
      const opened = await reader.read({ origin, id, purpose, caseId, caller });
      const { header, sections, deleteByMs, warnings } = opened;
      return {
        origin,
        eventId: id,
        category: header.category,
        sections: [...sections].map(([name, content]) => ({
          name,
          contentJson: Buffer.from(JSON.stringify(content)),
        })),
        deleteByMs,
        handling: header.handling,
        warnings,
      };
    },
    subscribe: (request, { signal }) => subscribe({ context, desks }, request, signal),
    registerSystem: async ({ systemId, kind }) => {
      const id = systemIdField('system_id', systemId);
      return wireSystem(registerSystem(context, id, systemKindField('kind', kind)));
    },
    listSystems: async () => ({ systems: context.state.systems.all().map(wireSystem) }),
    acknowledge: async ({ systemId, cursor, withdrawn }) => {
      demandFew('withdrawn', withdrawn, ACKNOWLEDGED_MAX);
      const events = withdrawn.map(({ origin, eventId }, at) => ({
        origin: memberField(`withdrawn[${String(at)}].origin`, origin),
        id: eventIdField(`withdrawn[${String(at)}].event_id`, eventId),
      }));
      return wireSystem(acknowledge(context, systemId, { cursor, withdrawn: events }));
    },
  });
}
