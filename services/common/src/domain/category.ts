const NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*){0,7}$/;

/** A hierarchical category name such as `listing.al-qaida.individual`, at most 128 characters. */
export function isCategoryName(text: string): boolean {
  return text.length <= 128 && NAME.test(text);
}

/** A category name in which `*` may stand for a segment and `**` for the end: see `matchesCategory`. */
export function isCategoryPattern(text: string): boolean {
  const segments = text.split('.');
  const last = segments.length - 1;
  const named = segments.map((segment, i) =>
    segment === '*' || (segment === '**' && i === last) ? 'any' : segment,
  );
  return isCategoryName(named.join('.'));
}

/** `*` stands for exactly one segment, `**` at the end for one or more: `listing.al-qaida.*`, `**`. */
export function matchesCategory(pattern: string, category: string): boolean {
  const wanted = pattern.split('.');
  const got = category.split('.');
  const open = wanted.at(-1) === '**';
  if (open) wanted.pop();
  if (open ? got.length <= wanted.length : got.length !== wanted.length) return false;
  return wanted.every((segment, i) => segment === '*' || segment === got[i]);
}
