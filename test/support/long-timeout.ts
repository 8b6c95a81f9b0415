import { jest } from '@jest/globals';

/** A broker starts in seconds, and a federation takes its time: Jest's 5 s are for unit tests. */
const BROKER_TEST_TIMEOUT_MS = 180_000;

jest.setTimeout(BROKER_TEST_TIMEOUT_MS);
