import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { FetchAgain } from '@concordat/common/io/chain/gap-filler.js';
import {
  DerivationService,
  FeedService,
  FreshnessService,
  KeyService,
  LedgerService,
  OnwardService,
  type concordat,
} from '@concordat/common/io/rpc/definitions.js';
import { type Channels, MemberChannels } from '@concordat/common/io/rpc/member-channels.js';
import type { TlsFiles } from '@concordat/common/io/rpc/tls.js';
import CircuitBreaker from 'opossum';
import type { AskForGrants } from '../flows/derive.js';
import type { AskForKeys } from '../flows/fetch-keys.js';
import type { AskFreshness } from '../flows/keep-fresh.js';
import { fromWire } from './key-service.js';

const KEYS_TIMEOUT_MS = 30_000;
const GRANTS_TIMEOUT_MS = 10_000;
const FRESHNESS_TIMEOUT_MS = 5_000;
const LEDGER_TIMEOUT_MS = 10_000;
const FEED_TIMEOUT_MS = 10_000;
const ONWARD_TIMEOUT_MS = 5_000;
const BREAKER = {
  timeout: false,
  errorThresholdPercentage: 50,
  volumeThreshold: 5,
  resetTimeout: 2_000,
} as const;

/** Asks an origin to release an event that is held here to a third member. @throws ConcordatError its refusal */
export type AskOnward = (request: concordat.node.v1.OnwardRequest) => Promise<void>;

/** How this node reaches the services of another member; the network port of the node. */
export interface Peers {
  askForKeys(origin: MemberId): AskForKeys;
  askForGrants(origin: MemberId): AskForGrants;
  askFreshness(origin: MemberId): AskFreshness;
  /** asks for feed blocks to this node that the topic no longer has */
  fetchFeed(origin: MemberId): FetchAgain;
  /** asks for purge entries to this node that did not come by their topic */
  fetchLedger(origin: MemberId): FetchAgain;
  askOnward(origin: MemberId): AskOnward;
  close(): void;
}

/** Over connections with TLS; an origin whose answers fail is not asked for keys for a while. */
export function rpcPeers(federation: Federation, tls: TlsFiles): Peers {
  const channels = new MemberChannels(federation, tls);
  const peers = peersOver(channels);
  const breakers: { shutdown(): void }[] = [];
  return {
    ...peers,
    askForKeys(origin) {
      const ask = peers.askForKeys(origin);
      const breaker = new CircuitBreaker(ask, BREAKER);
      breakers.push(breaker);
      return async (statements, signal) => {
        try {
          return await breaker.fire(statements, signal);
        } catch (cause) {
          if (cause instanceof ConcordatError) throw cause;
          if (breaker.opened) {
            const text = `node of ${origin}: not asked for a while, its last answers failed`;
            throw new ConcordatError('PEER_UNAVAILABLE', text, { cause });
          }
          throw asConcordatError(cause);
        }
      };
    },
    close() {
      for (const breaker of breakers) breaker.shutdown();
      channels.close();
    },
  };
}

/** Over these connections. Who made them closes them. */
export function peersOver(channels: Channels): Peers {
  return {
    askForKeys(origin) {
      const client = channels.to(origin, 'node').clientOf(KeyService);
      return async (statements, signal) =>
        fromWire(await client.keyRelease({ statements }, { timeoutMs: KEYS_TIMEOUT_MS, signal }));
    },
    askForGrants(origin) {
      const client = channels.to(origin, 'node').clientOf(DerivationService);
      return async (child, parents, signal) => {
        const options = { timeoutMs: GRANTS_TIMEOUT_MS, signal };
        const { grants } = await client.grantDerivation({ child, parents: [...parents] }, options);
        return grants.map((bytes) => Uint8Array.from(bytes));
      };
    },
    askFreshness(origin) {
      const client = channels.to(origin, 'revocation').clientOf(FreshnessService);
      return async (nonce, signal) => {
        const options = { timeoutMs: FRESHNESS_TIMEOUT_MS, signal };
        const { answer } = await client.freshness({ nonce }, options);
        return answer;
      };
    },
    fetchFeed(origin) {
      const client = channels.to(origin, 'consent').clientOf(FeedService);
      return (wanted, signal) => client.fetchFeed(wanted, { timeoutMs: FEED_TIMEOUT_MS, signal });
    },
    fetchLedger(origin) {
      const client = channels.to(origin, 'revocation').clientOf(LedgerService);
      return async ({ epoch, fromNumber }, signal) => {
        const options = { timeoutMs: LEDGER_TIMEOUT_MS, signal };
        const { entries, ...rest } = await client.fetchLedger({ epoch, fromNumber }, options);
        return { blocks: entries, ...rest };
      };
    },
    askOnward(origin) {
      const client = channels.to(origin, 'node').clientOf(OnwardService);
      return async (request) => {
        await client.requestOnward(request, { timeoutMs: ONWARD_TIMEOUT_MS });
      };
    },
    close: () => undefined,
  };
}
