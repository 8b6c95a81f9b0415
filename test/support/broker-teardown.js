import { rm } from 'node:fs/promises';

// eslint-disable-next-line no-restricted-syntax -- jest asks for a default export
export default async function stopSharedBroker() {
  const shared = globalThis.concordatSharedBroker;
  await shared?.broker.stop();
  if (shared) await rm(shared.directory, { recursive: true, force: true });
}
