/** What a worker process can be asked: one argument in, an answer that survives being copied. */
export type Calls = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

/** The same calls, seen from the parent. */
export type Remote<C extends Calls> = {
  readonly [K in keyof C]: (...argument: Parameters<C[K]>) => ReturnType<C[K]>;
};

export interface Question {
  readonly id: number;
  readonly call: string;
  readonly argument: unknown;
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

/** Answers the parent's calls until it goes away: then this process ends, too. */
export function answerCalls(calls: Calls): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (question: Question) => {
    void answer(calls, question).then((given) => process.send?.(given));
  });
  process.send?.('ready');
}

async function answer(calls: Calls, { id, call, argument }: Question): Promise<Answer> {
  try {
    const made = calls[call];
    if (!made) throw new TypeError(`this worker has no call ${call}`);
    return { id, value: await made(argument as never) };
  } catch (cause) {
    return { id, error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) };
  }
}
