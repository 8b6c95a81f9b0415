import type { Json } from '../strict-json.js';
import type { Draw } from './draw.js';

/** Addresses and names that are kept for documentation (RFC 5737, RFC 3849, RFC 2606): nobody has them. */
const PATTERNS = {
  network: (draw: Draw) => {
    const net = draw.pick(['192.0.2', '198.51.100', '203.0.113']);
    const host = `c2-${draw.hex(3)}.example.com`;
    return `[ipv4-addr:value = '${net}.${draw.whole(1, 254)}'] OR [domain-name:value = '${host}']`;
  },
  file: (draw: Draw) =>
    `[file:hashes.'SHA-256' = '${draw.hex(32)}' AND file:size > ${draw.whole(1_000, 900_000)}]`,
  email: (draw: Draw) =>
    `[email-message:from_ref.value = 'sample-${draw.hex(3)}@example.org'] REPEATS ${draw.whole(2, 9)} TIMES WITHIN 3600 SECONDS`,
  identity: (draw: Draw) =>
    `[user-account:account_login LIKE 'synthetic-${draw.hex(3)}%' AND user-account:is_disabled = false]`,
} as const;
type ThreatKind = keyof typeof PATTERNS;
export const THREAT_KINDS = Object.keys(PATTERNS) as readonly ThreatKind[];

export function threatIndicator(draw: Draw, kind: ThreatKind): { [field: string]: Json } {
  const createdAt = draw.time(2025, 2025);
  return {
    stixId: `indicator--${draw.uuid()}`,
    name: `Synthetic ${kind} indicator ${draw.digits(5)}`,
    indicatorTypes: draw.some(['MALICIOUS_ACTIVITY', 'ANOMALOUS_ACTIVITY', 'COMPROMISED'], 2),
    confidence: draw.whole(20, 95),
    createdAt,
    modifiedAt: createdAt,
    validFromAt: createdAt,
    validUntilAt: draw.perhaps(80, () => draw.time(2027, 2027)),
    pattern: PATTERNS[kind](draw),
    patternVersion: '2.1',
    killChainPhases: draw
      .some(['reconnaissance', 'initial-access', 'command-and-control', 'exfiltration'], 2)
      .map((phaseName) => ({ killChainName: 'mitre-attack', phaseName })),
    externalReferences: draw.list(0, 1, () => ({
      sourceName: 'synthetic-feed',
      externalId: `SYN-${draw.digits(6)}`,
      url: 'https://example.com/synthetic',
    })),
    threatActors: draw.list(0, 1, () => `Synthetic Group ${draw.digits(3)}`),
    campaign: draw.perhaps(30, () => `Operation Sample ${draw.digits(3)}`),
    description: 'An invented indicator, made from a seed.',
  };
}
