import { asConcordatError } from '@concordat/common/domain/errors.js';
import { placeName } from '../world/places.js';
import { PLACES } from '../world/template.js';
import type { Fault } from './fault.js';

/** Somebody starts a process again that runs: two on one data directory. The second must be refused, and change nothing. */
export const SECOND_INSTANCE: Fault = {
  name: 'two instances',
  canHappen: () => true,
  happen: (world, draw) => {
    const { member, process } = draw.pick(PLACES);
    const name = placeName(member, process);
    const service = world.service(member, process);
    if (!service.isServing) return;
    const second = service.startSecond();
    void second.then(
      () => world.violated(`a second ${name} runs on the data directory of the first`),
      (cause: unknown) => {
        const { code } = asConcordatError(cause);
        world.reached('a second instance is refused');
        if (code !== 'DATA_DIR_LOCKED') world.violated(`a second ${name} is refused with ${code}`);
      },
    );
  },
};
