import type { CategoryType } from '@concordat/common/io/avro/category-codec.js';
import type { Book } from '../book.js';
import type { Cast, DemoPorts } from '../cast.js';

/** Everybody, after the main job: the lists are shared, what left them is taken back, and all is settled. */
export interface SceneStage extends Cast {
  readonly ports: DemoPorts;
  /** what the origin published; a scene that publishes keeps a book of its own */
  readonly book: Book;
  readonly schema: CategoryType;
}

/** What a scene found, as it stands in the report: counts and words; no time, no key, no id. */
export interface SceneFinding {
  /** it showed what it set out to show; else the run has failed */
  readonly shown: boolean;
  readonly [figure: string]: unknown;
}

/** A further scene of the demo, after those whose figures the report has by itself. */
export interface DemoScene {
  /** its finding's name in the report */
  readonly name: string;
  readonly title: string;
  /** Leaves everybody running, and everything as the scenes after it need it. */
  readonly play: (stage: SceneStage) => Promise<SceneFinding>;
}

/** Plays scene after scene. @returns what each found, by its name */
export async function playScenes(
  scenes: readonly DemoScene[],
  stage: SceneStage,
): Promise<Record<string, SceneFinding>> {
  const findings: Record<string, SceneFinding> = {};
  for (const { name, title, play } of scenes) {
    stage.ports.story.scene(title);
    findings[name] = await play(stage);
  }
  return findings;
}
