import { KeyService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import type { SealOffice } from '../flows/destroy-keys.js';
import type { KeyItem, KeyReply } from '../flows/apply-keys.js';
import type { KeyAnswers, KeyOffice, KeyOutcome } from '../flows/release-keys.js';

type WireAnswer = concordat.node.v1.KeyAnswer;
type WireResponse = concordat.node.v1.KeyReleaseResponse;

export function keyService(keys: KeyOffice, seals: SealOffice): Served {
  return serve(KeyService, {
    async keyRelease(request, { caller }) {
      const { statements } = request;
      return toWire(await keys.release(caller.member, statements));
    },
    async destroyKeys(request) {
      return seals.destroy(request.order, request.approvals);
    },
  });
}

function toWire({ answers, records }: KeyAnswers): WireResponse {
  const places = new Map([...records.keys()].map((number, at) => [number, at]));
  return {
    answers: answers.map(({ statement, release, outcome }) => ({
      statement,
      release,
      ...wireOutcome(outcome, places),
    })),
    records: [...records.values()],
  };
}

function wireOutcome(outcome: KeyOutcome, places: ReadonlyMap<number, number>): WireOutcome {
  switch (outcome.kind) {
    case 'released': {
      const keys = [...outcome.keys].map(([section, key]) => ({ section, key }));
      const records = outcome.records.flatMap((number) => places.get(number) ?? []);
      return { outcome: 'released', released: { keys, records, seals: [...outcome.seals] } };
    }
    case 'shredded':
      return { outcome: 'shredded', shredded: { seal: outcome.seal } };
    case 'withdrawn':
      return {
        outcome: 'withdrawn',
        withdrawn: { reason: outcome.reason, seals: [...outcome.seals] },
      };
    case 'refused':
      return { outcome: 'refused', refused: { reason: outcome.reason } };
  }
}

type WireOutcome =
  | { readonly outcome: 'released'; readonly released: concordat.node.v1.Released }
  | { readonly outcome: 'shredded'; readonly shredded: concordat.node.v1.Shredded }
  | { readonly outcome: 'withdrawn'; readonly withdrawn: concordat.node.v1.Withdrawn }
  | { readonly outcome: 'refused'; readonly refused: concordat.node.v1.Refused };

/** The answer of another member's node; an outcome that we do not know is a wait, not a refusal. */
export function fromWire(response: WireResponse): KeyReply {
  return {
    answers: response.answers.map((answer) => ({
      statement: answer.statement,
      release: answer.release,
      item: itemOf(answer),
    })),
    records: response.records,
  };
}

const UNKNOWN_OUTCOME_WAIT_MS = 60_000;

function itemOf(answer: WireAnswer): KeyItem {
  switch (answer.outcome) {
    case 'released': {
      const { keys, records, seals } = answer.released;
      return {
        kind: 'released',
        keys: new Map(keys.map(({ section, key }) => [section, key])),
        ...{ records, seals },
      };
    }
    case 'shredded':
      return { kind: 'shredded', seal: answer.shredded.seal };
    case 'withdrawn':
      return { kind: 'withdrawn', ...answer.withdrawn };
    case 'refused':
      return { kind: 'refused', reason: answer.refused.reason };
    case 'later':
      return { kind: 'later', waitMs: answer.later.waitMs };
    case undefined:
      return { kind: 'later', waitMs: UNKNOWN_OUTCOME_WAIT_MS };
  }
}
