import { jest } from '@jest/globals';

// Jest ignores a project's own `testTimeout`. A test fails by what it finds, not because the machine is busy.
jest.setTimeout(600_000);
