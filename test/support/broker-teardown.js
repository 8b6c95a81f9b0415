import { rm } from 'node:fs/promises';

export default async function stopSharedBroker() {
  const shared = globalThis.concordatSharedBroker;
  await shared?.broker.stop();
  if (shared) await rm(shared.directory, { recursive: true, force: true });
}
