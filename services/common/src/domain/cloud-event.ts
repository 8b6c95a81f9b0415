import type { MemberId } from './ids.js';

/**
 * CloudEvents 1.0 attributes of a record, in Kafka's binary mode. They describe the record that carries events, never
 * an event or a person: source, chain and number only.
 */
export function cloudEventHeaders(about: {
  readonly kind: string;
  readonly source: MemberId;
  readonly chain: string;
  readonly epoch: number;
  readonly number: number;
}): Record<string, string> {
  return {
    ce_specversion: '1.0',
    ce_type: `concordat.${about.kind}.v1`,
    ce_source: `/members/${about.source}`,
    ce_id: `${about.chain}/${String(about.epoch)}/${String(about.number)}`,
    'content-type': 'application/avro',
  };
}
