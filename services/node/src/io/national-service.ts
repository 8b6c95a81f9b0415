import { NationalService } from '@concordat/common/io/rpc/definitions.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import type { NodeContext } from '../flows/context.js';
import type { Publisher } from '../flows/publish.js';
import type { Reader } from '../flows/read.js';
import { parseDraft } from './parse-draft.js';
import { publishStream } from './publish-stream.js';
import { eventIdField, memberField } from './request-fields.js';
import { subscribe } from './subscription.js';

export function nationalService(flows: {
  readonly context: NodeContext;
  readonly publisher: Publisher;
  readonly reader: Reader;
}): Served {
  const { context, publisher, reader } = flows;
  return serve(NationalService, {
    async publish(request) {
      const published = await publisher.publish(parseDraft(context.categories, request));
      const { id, lane, epoch, number, leaf, repeated } = published;
      return { eventId: id, lane, epoch, blockNumber: number, leaf, repeated };
    },
    publishStream: (messages, { signal }) =>
      publishStream({ categories: context.categories, publisher }, messages, signal),
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
    subscribe: (request, { signal }) => subscribe(context, request, signal),
  });
}
