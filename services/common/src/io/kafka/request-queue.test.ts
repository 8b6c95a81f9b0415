import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type RequestQueue, quietRequestQueues } from './request-queue.js';

interface Queue extends RequestQueue {
  throttledUntil: number;
  push(request: {
    readonly entry: { readonly correlationId: number; resolve(): void };
    readonly expectResponse: boolean;
    sendRequest(): void;
  }): void;
  fulfillRequest(response: { correlationId: number; size: number; payload: null }): void;
}
type QueueClass = new (options: object) => Queue;

const requireHere = createRequire(import.meta.url);
const ignore = (): void => undefined;

function newQueue(): Queue {
  quietRequestQueues();
  const Queues = requireHere('kafkajs/src/network/requestQueue/index.js') as QueueClass;
  const logger = { debug: ignore, warn: ignore };
  const limits = { maxInFlightRequests: 1, requestTimeout: 1_000, enforceRequestTimeout: false };
  return new Queues({ ...limits, clientId: 'test', broker: 'b:1', logger });
}

describe('requests of a connection', () => {
  const sent: number[] = [];
  const push = (queue: Queue, correlationId: number): void => {
    const sendRequest = (): void => void sent.push(correlationId);
    queue.push({ entry: { correlationId, resolve: ignore }, expectResponse: true, sendRequest });
  };

  beforeEach(() => {
    sent.length = 0;
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('nothing is looked at while nothing waits', () => {
    const queue = newQueue();
    push(queue, 1);
    queue.checkPendingRequests();
    expect(sent).toEqual([1]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('what the broker does not want yet is sent when it does', () => {
    const queue = newQueue();
    queue.throttledUntil = Date.now() + 500;
    push(queue, 1);
    jest.advanceTimersByTime(499);
    expect(sent).toEqual([]);
    jest.advanceTimersByTime(20);
    expect(sent).toEqual([1]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('what waits behind another request is sent when that one is answered', () => {
    const queue = newQueue();
    push(queue, 1);
    push(queue, 2);
    jest.advanceTimersByTime(50);
    expect(sent).toEqual([1]);
    queue.fulfillRequest({ correlationId: 1, size: 0, payload: null });
    expect(sent).toEqual([1, 2]);
    jest.advanceTimersByTime(50);
    expect(jest.getTimerCount()).toBe(0);
  });
});
