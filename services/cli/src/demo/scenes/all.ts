import { partnerLeaves } from './partner-leaves.js';
import type { DemoScene } from './scene.js';

/** In this order: who has left is not there any more for a scene after it. */
export const SCENES: readonly DemoScene[] = [partnerLeaves];
