import kafkajs from 'kafkajs';

const REFUSED = 'concordat: compressed batches are refused';

/** gzip, snappy, lz4, zstd: the numbers of the record batch format. */
const CODECS = [1, 2, 3, 4] as const;

function refuse(): never {
  // kafkajs stops at once, instead of trying again, only for errors of this name
  throw Object.assign(new Error(REFUSED), { name: 'KafkaJSNotImplemented', retriable: false });
}

/**
 * kafkajs inflates without a limit (1 MiB of gzip becomes 1 GiB). Nothing of ours is compressed, and topics are set so that
 * the broker keeps nothing compressed; whatever is compressed all the same ends its reader.
 */
export function refuseCompression(): void {
  const { CompressionCodecs } = kafkajs;
  for (const type of CODECS) {
    CompressionCodecs[type] = () => ({ compress: refuse, decompress: refuse });
  }
}

export function isCompressionRefused(error: Error): boolean {
  return error.message.includes(REFUSED);
}
