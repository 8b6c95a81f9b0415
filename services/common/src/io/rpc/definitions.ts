import { type MessageType, concordat, grpc } from '#generated/concordat.js';
import type { ServiceName } from '../../domain/ids.js';
import { FIELDS_MAX } from './wire.js';

export type { concordat, grpc } from '#generated/concordat.js';

/** The most bytes of a message unless its method says otherwise. */
export const MESSAGE_BYTES_MAX = 1 << 20;
/** For calls that carry many signed statements: up to 4,096 key answers with their records, or lists. */
export const LARGE_MESSAGE_BYTES_MAX = 8 << 20;
/** The largest certificate that a verifier reads (`DSSE_BYTES_MAX`), with room for its frame. No message is larger. */
export const CERTIFICATE_BYTES_MAX = 17 << 20;

/** Who may call: services by name, of the own member, of another one, or of any. Decided by certificate alone. */
export interface Access {
  readonly services: readonly ServiceName[];
  readonly member: 'own' | 'other' | 'any';
}

const OWN_SYSTEM: Access = { services: ['system'], member: 'own' };
const OWN_OPERATOR: Access = { services: ['operator'], member: 'own' };
/** Whoever a member runs, and who runs it. */
const OWN_ANYBODY: Access = {
  services: ['system', 'operator', 'node', 'consent', 'revocation'],
  member: 'own',
};
const OWN_REVOCATION: Access = { services: ['revocation'], member: 'own' };
const OTHER_REVOCATION: Access = { services: ['revocation'], member: 'other' };
const OWN_CONSENT: Access = { services: ['consent'], member: 'own' };
const ANY_NODE: Access = { services: ['node'], member: 'any' };
const OTHER_NODE: Access = { services: ['node'], member: 'other' };

/** stream: one request, many answers · clientStream: many requests, one answer */
export type MethodKind = 'unary' | 'stream' | 'clientStream' | 'bidi';

export interface Method<Kind extends MethodKind, Req, Res> {
  readonly kind: Kind;
  readonly request: MessageType<Req>;
  readonly response: MessageType<Res>;
  readonly access: Access;
  readonly requestBytesMax: number;
  readonly responseBytesMax: number;
  /** Clients of some standard services set none. */
  readonly needsDeadline: boolean;
  readonly responseFieldsMax: number;
}
export type AnyMethod = Method<MethodKind, unknown, unknown>;

/** A gRPC service. A method's name on the wire is its key with a capital. */
export interface Service<Methods extends Readonly<Record<string, AnyMethod>>> {
  readonly name: string;
  readonly methods: Methods;
}
export type AnyService = Service<Readonly<Record<string, AnyMethod>>>;

type Sizes = Partial<Pick<AnyMethod, 'requestBytesMax' | 'responseBytesMax' | 'responseFieldsMax'>>;
const usual = {
  requestBytesMax: MESSAGE_BYTES_MAX,
  responseBytesMax: MESSAGE_BYTES_MAX,
  needsDeadline: true,
  responseFieldsMax: FIELDS_MAX,
};
const largeAnswer: Sizes = { responseBytesMax: LARGE_MESSAGE_BYTES_MAX };
const largeBoth: Sizes = { ...largeAnswer, requestBytesMax: LARGE_MESSAGE_BYTES_MAX };

type Types<Req, Res> = readonly [request: MessageType<Req>, response: MessageType<Res>];

function unary<Req, Res>(
  [request, response]: Types<Req, Res>,
  access: Access,
  sizes: Sizes = {},
): Method<'unary', Req, Res> {
  return { kind: 'unary', request, response, access, ...usual, ...sizes };
}

function stream<Req, Res>(
  [request, response]: Types<Req, Res>,
  access: Access,
): Method<'stream', Req, Res> {
  return { kind: 'stream', request, response, access, ...usual };
}

function clientStream<Req, Res>(
  [request, response]: Types<Req, Res>,
  access: Access,
  sizes: Sizes = {},
): Method<'clientStream', Req, Res> {
  return { kind: 'clientStream', request, response, access, ...usual, ...sizes };
}

const common = concordat.common.v1;
/** Many requests, many answers. */
function bidi<Req, Res>(
  [request, response]: Types<Req, Res>,
  access: Access,
): Method<'bidi', Req, Res> {
  return { kind: 'bidi', request, response, access, ...usual, needsDeadline: false };
}

const node = concordat.node.v1;
const consent = concordat.consent.v1;
const revocation = concordat.revocation.v1;

export const NationalService = {
  name: 'concordat.node.v1.NationalService',
  methods: {
    publish: unary([node.PublishRequest, node.PublishResponse], OWN_SYSTEM),
    publishStream: clientStream(
      [node.PublishStreamRequest, node.PublishStreamResponse],
      OWN_SYSTEM,
      // at the worst 100,000 events that each stand alone
      { ...largeAnswer, responseFieldsMax: 1_000_000 },
    ),
    read: unary([node.ReadRequest, node.ReadResponse], OWN_SYSTEM),
    subscribe: stream([node.SubscribeRequest, node.Notice], OWN_SYSTEM),
    registerSystem: unary([node.RegisterSystemRequest, node.RegisteredSystem], OWN_SYSTEM),
    listSystems: unary([node.ListSystemsRequest, node.ListSystemsResponse], OWN_SYSTEM),
    acknowledge: unary([node.AcknowledgeRequest, node.RegisteredSystem], OWN_SYSTEM),
  },
} as const satisfies AnyService;

export const KeyService = {
  name: 'concordat.node.v1.KeyService',
  methods: {
    keyRelease: unary([node.KeyReleaseRequest, node.KeyReleaseResponse], ANY_NODE, largeBoth),
    destroyKeys: unary(
      [node.DestroyKeysRequest, node.DestroyKeysResponse],
      OWN_REVOCATION,
      largeAnswer,
    ),
  },
} as const satisfies AnyService;

export const MembershipService = {
  name: 'concordat.node.v1.MembershipService',
  methods: {
    letMemberGo: unary([node.LetMemberGoRequest, node.MembershipResponse], OWN_REVOCATION),
    letMemberBeGone: unary([node.LetMemberBeGoneRequest, node.MembershipResponse], OWN_REVOCATION),
  },
} as const satisfies AnyService;

export const ScopeService = {
  name: 'concordat.node.v1.ScopeService',
  methods: {
    scopeLosses: unary(
      [node.ScopeLossesRequest, node.ScopeLossesResponse],
      OWN_REVOCATION,
      largeAnswer,
    ),
  },
} as const satisfies AnyService;

export const OnwardService = {
  name: 'concordat.node.v1.OnwardService',
  methods: {
    requestOnward: unary([node.OnwardRequest, node.OnwardResponse], OTHER_NODE),
  },
} as const satisfies AnyService;

export const DerivationService = {
  name: 'concordat.node.v1.DerivationService',
  methods: {
    grantDerivation: unary([node.GrantDerivationRequest, node.GrantDerivationResponse], OTHER_NODE),
    listDuties: unary([node.ListDutiesRequest, node.ListDutiesResponse], OWN_REVOCATION),
    closeDuty: unary([node.CloseDutyRequest, node.CloseDutyResponse], OWN_REVOCATION),
  },
} as const satisfies AnyService;

export const BlockService = {
  name: 'concordat.node.v1.BlockService',
  methods: {
    fetchBlocks: unary(
      [node.FetchBlocksRequest, node.FetchBlocksResponse],
      OWN_CONSENT,
      largeAnswer,
    ),
    fetchOnward: unary(
      [node.FetchOnwardRequest, node.FetchOnwardResponse],
      OWN_CONSENT,
      largeAnswer,
    ),
  },
} as const satisfies AnyService;

export const ReceiptService = {
  name: 'concordat.node.v1.ReceiptService',
  methods: {
    fetchReceipts: unary(
      [node.FetchReceiptsRequest, node.FetchReceiptsResponse],
      OTHER_REVOCATION,
      largeAnswer,
    ),
  },
} as const satisfies AnyService;

export const OperatorService = {
  name: 'concordat.node.v1.OperatorService',
  methods: {
    status: unary([node.StatusRequest, node.StatusResponse], OWN_OPERATOR),
    show: unary([node.ShowRequest, node.ShowResponse], OWN_OPERATOR),
    holders: unary([node.HoldersRequest, node.HoldersResponse], OWN_OPERATOR),
    selectEvents: unary([node.SelectEventsRequest, node.SelectEventsResponse], OWN_OPERATOR),
    askOnward: unary([node.AskOnwardRequest, node.OnwardResponse], OWN_OPERATOR),
    listOnward: unary([node.ListOnwardRequest, node.ListOnwardResponse], OWN_OPERATOR, largeAnswer),
    reloadPolicy: unary([node.ReloadPolicyRequest, node.ReloadPolicyResponse], OWN_OPERATOR),
    previewScope: unary(
      [node.PreviewScopeRequest, node.ScopeLossesResponse],
      OWN_OPERATOR,
      largeBoth,
    ),
    placeHold: unary([node.PlaceHoldRequest, node.Hold], OWN_OPERATOR),
    releaseHold: unary([node.ReleaseHoldRequest, node.Hold], OWN_OPERATOR),
    listHolds: unary([node.ListHoldsRequest, node.ListHoldsResponse], OWN_OPERATOR, largeAnswer),
    eraseMedia: unary([node.EraseMediaRequest, node.EraseMediaResponse], OWN_OPERATOR),
    listReadings: unary(
      [node.ListReadingsRequest, node.ListReadingsResponse],
      OWN_OPERATOR,
      largeAnswer,
    ),
    stateDigest: unary([node.StateDigestRequest, node.StateDigestResponse], OWN_OPERATOR),
    rewind: unary([node.RewindRequest, node.RewindResponse], OWN_OPERATOR),
  },
} as const satisfies AnyService;

/** Served by every process of a member. */
export const QuarantineService = {
  name: 'concordat.common.v1.QuarantineService',
  methods: {
    list: unary([common.ListRequest, common.ListResponse], OWN_OPERATOR, largeAnswer),
    replay: unary([common.ReplayRequest, common.ReplayResponse], OWN_OPERATOR),
  },
} as const satisfies AnyService;

export const ConsentService = {
  name: 'concordat.consent.v1.ConsentService',
  methods: {
    status: unary([consent.StatusRequest, consent.StatusResponse], OWN_OPERATOR),
    explain: unary([consent.ExplainRequest, consent.ExplainResponse], OWN_OPERATOR),
    voidFeed: unary([consent.VoidFeedRequest, consent.VoidFeedResponse], OWN_OPERATOR),
    reloadPolicy: unary([consent.ReloadPolicyRequest, consent.ReloadPolicyResponse], OWN_OPERATOR),
  },
} as const satisfies AnyService;

export const FeedService = {
  name: 'concordat.consent.v1.FeedService',
  methods: {
    fetchFeed: unary(
      [consent.FetchFeedRequest, consent.FetchFeedResponse],
      OTHER_NODE,
      largeAnswer,
    ),
  },
} as const satisfies AnyService;

export const FreshnessService = {
  name: 'concordat.revocation.v1.FreshnessService',
  methods: {
    freshness: unary([revocation.FreshnessRequest, revocation.FreshnessResponse], OTHER_NODE),
  },
} as const satisfies AnyService;

export const LedgerService = {
  name: 'concordat.revocation.v1.LedgerService',
  methods: {
    fetchLedger: unary(
      [revocation.FetchLedgerRequest, revocation.FetchLedgerResponse],
      OTHER_NODE,
      largeAnswer,
    ),
  },
} as const satisfies AnyService;

export const ChildService = {
  name: 'concordat.revocation.v1.ChildService',
  methods: {
    childCertificate: unary(
      [revocation.ChildCertificateRequest, revocation.ChildCertificateResponse],
      OTHER_REVOCATION,
      { responseBytesMax: CERTIFICATE_BYTES_MAX },
    ),
  },
} as const satisfies AnyService;

export const PurgeService = {
  name: 'concordat.revocation.v1.PurgeService',
  methods: {
    order: unary([revocation.OrderRequest, revocation.OrderResponse], OWN_OPERATOR),
    approve: unary([revocation.ApproveRequest, revocation.StatusResponse], OWN_OPERATOR),
    signedOrder: unary([revocation.StatusRequest, revocation.SignedOrderResponse], OWN_OPERATOR),
    covered: unary([revocation.CoveredRequest, revocation.CoveredResponse], OWN_OPERATOR),
    status: unary([revocation.StatusRequest, revocation.StatusResponse], OWN_OPERATOR),
    statusOfMany: unary(
      [revocation.StatusOfManyRequest, revocation.StatusOfManyResponse],
      OWN_OPERATOR,
      largeAnswer,
    ),
    watchStatus: stream([revocation.StatusRequest, revocation.StatusResponse], OWN_OPERATOR),
    list: unary([revocation.ListRequest, revocation.ListResponse], OWN_OPERATOR, largeAnswer),
    certificate: unary(
      [revocation.CertificateRequest, revocation.CertificateResponse],
      OWN_OPERATOR,
      { responseBytesMax: CERTIFICATE_BYTES_MAX },
    ),
    notices: unary([revocation.NoticesRequest, revocation.NoticesResponse], OWN_OPERATOR),
    receipts: unary(
      [revocation.ReceiptsRequest, revocation.ReceiptsResponse],
      OWN_OPERATOR,
      largeAnswer,
    ),
    members: unary(
      [revocation.MembersRequest, revocation.MembersResponse],
      OWN_OPERATOR,
      largeAnswer,
    ),
    scope: unary([revocation.ScopeRequest, revocation.ScopeResponse], OWN_OPERATOR),
    confirmScope: unary([revocation.ConfirmScopeRequest, revocation.ScopeResponse], OWN_OPERATOR),
  },
} as const satisfies AnyService;

const health = grpc.health.v1;

/** Served by every process, for all of its services. */
export const HealthService = {
  name: 'grpc.health.v1.Health',
  methods: {
    check: unary([health.HealthCheckRequest, health.HealthCheckResponse], OWN_ANYBODY),
    watch: {
      ...stream([health.HealthCheckRequest, health.HealthCheckResponse], OWN_ANYBODY),
      needsDeadline: false,
    },
  },
} as const satisfies AnyService;

const { v1: reflection, v1alpha: reflectionAlpha } = grpc.reflection;

/** In profile demo only. */
export const ReflectionService = {
  name: 'grpc.reflection.v1.ServerReflection',
  methods: {
    serverReflectionInfo: bidi(
      [reflection.ServerReflectionRequest, reflection.ServerReflectionResponse],
      OWN_ANYBODY,
    ),
  },
} as const satisfies AnyService;

/** The same under its first name, which some clients still ask for. */
export const ReflectionAlphaService = {
  name: 'grpc.reflection.v1alpha.ServerReflection',
  methods: {
    serverReflectionInfo: bidi(
      [reflectionAlpha.ServerReflectionRequest, reflectionAlpha.ServerReflectionResponse],
      OWN_ANYBODY,
    ),
  },
} as const satisfies AnyService;

/** `/concordat.node.v1.NationalService/Publish` */
export function methodPath(service: AnyService, key: string): string {
  return `/${service.name}/${key.charAt(0).toUpperCase()}${key.slice(1)}`;
}
