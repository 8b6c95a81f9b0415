import { bytesKey } from '@concordat/common/domain/bytes.js';
import type { Hash } from '@concordat/common/domain/ids.js';
import type { LedgerStatement } from '@concordat/common/domain/records.js';
import { statementHash } from '@concordat/common/domain/statement.js';
import { eventsTopic } from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from '../context.js';

/** Statements of own blocks as the own topic still has them; read only when one is asked for that another key signed. */
export class BlockStatements {
  readonly #context: NodeContext;
  readonly #log: LogClient;
  #found: Map<string, Uint8Array> | undefined;

  constructor(context: NodeContext, log: LogClient) {
    this.#context = context;
    this.#log = log;
  }

  /** Makes the statement of a publication's block known, where it cannot be signed once more. */
  async find({ kind, keyId }: LedgerStatement): Promise<void> {
    if (kind !== 'PUBLICATION' || keyId === this.#context.signer.keyId) return;
    this.#found ??= await this.#scan();
  }

  of(hash: Hash): Uint8Array | undefined {
    return this.#found?.get(bytesKey(hash));
  }

  async #scan(): Promise<Map<string, Uint8Array>> {
    const { codec, self } = this.#context;
    const topic = eventsTopic(self);
    const found = new Map<string, Uint8Array>();
    for (const { lane } of await this.#log.ends(topic)) {
      await this.#log.scan(topic, lane, 0n, ({ value }) => {
        const block = codec.decode('Block', value);
        const signed = block.ok ? codec.decode('Signed', block.value.statement) : block;
        if (block.ok && signed.ok) {
          found.set(bytesKey(statementHash(signed.value)), block.value.statement);
        }
      });
    }
    return found;
  }
}
