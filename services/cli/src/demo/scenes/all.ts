import { derivedEvent } from './derived-event.js';
import { forgedReceipt } from './forged-receipt.js';
import { legalHold } from './legal-hold.js';
import { partnerLeaves } from './partner-leaves.js';
import { pythonVerifier } from './python-verifier.js';
import { restoredBackup } from './restored-backup.js';
import type { DemoScene } from './scene.js';
import { sleepingNode } from './sleeping-node.js';

/** In this order: who has left is not there any more for a scene after it, and the last one reads what all others made. */
export const SCENES: readonly DemoScene[] = [
  partnerLeaves,
  restoredBackup,
  sleepingNode,
  legalHold,
  forgedReceipt,
  derivedEvent,
  pythonVerifier,
];
